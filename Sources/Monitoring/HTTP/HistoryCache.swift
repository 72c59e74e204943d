import Model
import NIOCore
import Platform
import Synchronization

/// The newest answers of `/api/history`, one for each number of hours: many pages that ask share
/// one, so that neither their questions nor what they do not read cost much.
final class HistoryCache: Sendable {
    private struct Entry {
        var made: MonotonicTime
        var body: ByteBuffer
    }

    /// Seconds for which an answer stands; a point comes once a minute.
    private static let freshSeconds = 10.0
    /// Answers that are kept at once.
    static let limit = 8

    private let time: any TimeSource
    private let entries = Mutex<[Int: Entry]>([:])

    init(_ time: any TimeSource = SystemTimeSource()) { self.time = time }

    /// The answer for so many hours; nil while too many different ones are asked for.
    func body(_ hours: Int, _ make: () -> [UInt8]) -> ByteBuffer? {
        let now = time.monotonic()
        return entries.withLock { entries in
            entries = entries.filter { now.seconds(since: $0.value.made) < Self.freshSeconds }
            if let known = entries[hours] { return known.body }
            guard entries.count < Self.limit else { return nil }
            // Made with the lock held: a second one that asks for the same waits for it.
            let body = ByteBuffer(bytes: make())
            entries[hours] = Entry(made: now, body: body)
            return body
        }
    }
}
