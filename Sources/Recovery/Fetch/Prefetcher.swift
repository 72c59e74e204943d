package import Model
package import Platform
package import Repository
import Glibc

/// Fetches segments ahead of redo into the spool until recovery is over: `tidemark wal prefetch`.
///
/// Only sealed segments are fetched, since a sealed one never changes; the open one is left to
/// `wal fetch`. Every trouble is left to `wal fetch` too, which retries and reports.
package struct Prefetcher: Sendable {
    private let source: SourceID
    private let replayer: any Replayer
    private let repository: ArchiveRepository
    private let clock: any TimeSource
    private let spool: PrefetchSpool
    private let server: RecoveringServer

    /// Bytes of segments that may lie in the spool.
    private static let spoolBytes: UInt64 = 256 << 20
    private static let workers = 2
    /// Without a server beside it (a test, a server not started by us), how long it waits for the
    /// next fetch.
    private static let idleSeconds = 5.0
    private static let lookSeconds = 0.05
    /// At the archive's end, or in trouble, how long until it tries again.
    private static let restSeconds = 1.0

    package init(
        _ source: SourceID, _ replayer: any Replayer, _ repository: ArchiveRepository,
        clock: any TimeSource, directory: String = "."
    ) {
        self.source = source
        self.replayer = replayer
        self.repository = repository
        self.clock = clock
        spool = PrefetchSpool(directory: directory)
        server = RecoveringServer(directory: directory)
    }

    /// Runs until recovery is over; does nothing when another one fills this spool.
    package func run() throws(TidemarkError) {
        guard let lock = spool.becomeFiller() else { return }
        // Not of the server's process group: its shutdown must not be waited for, nor its signals.
        _ = setsid()
        spool.clear()
        defer {
            spool.remove()
            _ = lock.path
        }
        guard let descriptor = try repository.descriptor(source) else { return }
        let limit = max(2, Int(Self.spoolBytes / max(1, descriptor.segmentBytes)))
        try fill(descriptor, limit)
    }

    private func fill(_ descriptor: SourceDescriptor, _ limit: Int) throws(TidemarkError) {
        let hasServer = server.process != nil
        let style = replayer.style(segmentBytes: descriptor.segmentBytes)
        var aim = PrefetchAim()
        var touched = clock.monotonic()
        var rest = touched
        var before: Set<String> = []
        while true {
            let ready = spool.ready
            if ready != before { touched = clock.monotonic() }
            if let request = spool.request, request != aim.request,
                case .segment(let range) =
                    replayer.request(request, segmentBytes: descriptor.segmentBytes)
            {
                touched = clock.monotonic()
                aim.follow(request, range, nextName: style.segmentName(range.next), ready: ready)
                if aim.dropsReady { spool.clear() } else { spool.drop(request) }
                rest = touched
            }
            let idle = clock.monotonic().seconds(since: touched)
            if hasServer ? !server.isRecovering : idle > Self.idleSeconds { return }
            let room = limit - ready.count
            let now = clock.monotonic()
            if room > 0, rest <= now, let next = aim.next {
                if fetch(next, count: min(room, Self.workers), style, &aim) {
                    touched = now
                } else {
                    rest = now.advanced(bySeconds: Self.restSeconds)
                }
                before = spool.ready
            } else {
                before = ready
                Pause.wait(seconds: Self.lookSeconds)
            }
        }
    }

    /// Fetches the next segments side by side; true when there was at least one.
    private func fetch(
        _ next: PositionRange, count: Int, _ style: any PositionStyle, _ aim: inout PrefetchAim
    ) -> Bool {
        var range = next
        var threads: [DedicatedThread<Bool>] = []
        for _ in 0..<count {
            let wanted = range
            threads.append(
                DedicatedThread("prefetch") { [self] () throws(TidemarkError) in
                    try SegmentDelivery(repository: repository).deliverSealed(
                        Layout.segment(source, style, wanted), wanted,
                        to: spool.target(style.segmentName(wanted)),
                        suffix: PrefetchSpool.unfinishedSuffix)
                })
            range = range.next
        }
        // Every thread is waited for, and only an unbroken row counts.
        let results = threads.map { (try? $0.join()) ?? false }
        var found = false
        for result in results {
            guard result else { break }
            found = true
            aim.advance()
        }
        return found
    }
}

/// Where the prefetcher fetches next.
struct PrefetchAim: Sendable {
    private(set) var request: String?
    private(set) var next: PositionRange?
    /// The last request led away from what lies ready.
    private(set) var dropsReady = false

    /// A segment was fetched another way: go on behind it, unless that is what lies ready already.
    mutating func follow(
        _ request: String, _ range: PositionRange, nextName: String, ready: Set<String>
    ) {
        self.request = request
        dropsReady = !ready.contains(nextName)
        if dropsReady { next = range.next }
    }

    mutating func advance() { next = next?.next }
}

extension PositionRange {
    /// The range of the same length behind this one.
    var next: PositionRange {
        PositionRange(timeline: timeline, first: last, last: last + length)
    }
}
