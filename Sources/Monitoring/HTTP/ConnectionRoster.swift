import Model
import NIOCore
import Platform
import Synchronization

/// The connections that are open, so that who comes last is never shut out by many that are idle.
final class ConnectionRoster: Sendable {
    private struct Entry {
        var channel: any Channel
        var active: MonotonicTime
    }

    /// Connections at once; of more the one that was idle for longest is closed.
    static let limit = 480
    /// Seconds without anything said, after which one counts as idle.
    private static let idleSeconds = 1.0

    private let time: any TimeSource
    private let entries = Mutex<[ObjectIdentifier: Entry]>([:])

    init(_ time: any TimeSource = SystemTimeSource()) { self.time = time }

    func joined(_ channel: any Channel) {
        let now = time.monotonic()
        let oldest = entries.withLock { entries -> (any Channel)? in
            entries[ObjectIdentifier(channel)] = Entry(channel: channel, active: now)
            guard entries.count > Self.limit else { return nil }
            let idle = entries.values.min { $0.active < $1.active }
            return idle.flatMap {
                now.seconds(since: $0.active) >= Self.idleSeconds ? $0.channel : nil
            }
        }
        oldest?.close(promise: nil)
    }

    /// Something was said on it.
    func spoke(_ channel: any Channel) {
        let now = time.monotonic()
        entries.withLock { $0[ObjectIdentifier(channel)]?.active = now }
    }

    func left(_ channel: any Channel) {
        entries.withLock { _ = $0.removeValue(forKey: ObjectIdentifier(channel)) }
    }
}
