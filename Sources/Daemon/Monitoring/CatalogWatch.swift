import Catalog
import Model
import Monitoring
import Platform
import Repository

/// What the archive says of every source, read now and again by a thread of its own: a repository
/// that hangs holds up this thread and nobody else.
final class CatalogWatch: Sendable {
    /// What was read last of one source.
    struct Seen: Sendable {
        /// Nil when nothing is archived yet.
        var snapshot: CatalogSnapshot?
        /// What the snapshot says.
        var facts: ArchiveFacts?
        /// What its last restore took.
        var measured: RestoreMeasurement?
        /// What another process that archives the source has written down since.
        var mark: Watermark?
        /// Why it could not be read; the snapshot is then the one before.
        var failure: TidemarkError?
    }

    private struct State: Sendable {
        var sources: [SourceID: Seen] = [:]
        /// When the round that is under way began; nil between rounds.
        var asked: MonotonicTime?
        /// How often the boards had told of a change when they were read last.
        var changes: [SourceID: Int] = [:]
    }

    /// Seconds between two rounds when nobody tells of a change.
    private static let interval = 30.0
    /// A round that takes longer than this many seconds is a repository that does not answer.
    private static let patience = 15.0

    private let boards: [SourceBoard]
    private let repository: ArchiveRepository
    private let stop: StopSignal
    private let time: any TimeSource
    /// What was read of segments that never change.
    private let memories: [SourceID: CatalogMemory]
    private let state = Monitor(State())

    init(
        _ boards: [SourceBoard], _ repository: ArchiveRepository, stop: StopSignal,
        time: any TimeSource
    ) {
        self.boards = boards
        self.repository = repository
        self.stop = stop
        self.time = time
        memories = Dictionary(uniqueKeysWithValues: boards.map { ($0.source, CatalogMemory()) })
    }

    /// What is known of a source; nil before the first look.
    func seen(_ source: SourceID) -> Seen? { state.read { $0.sources[source] } }

    /// How often the source's board had told of a change when its archive was looked at last.
    func changesSeen(_ source: SourceID) -> Int? { state.read { $0.changes[source] } }

    /// Why the repository does not count as answering; nil when it does.
    func problem(_ now: MonotonicTime) -> String? {
        state.read { state in
            if let asked = state.asked, now.seconds(since: asked) > Self.patience {
                return "the repository has not answered for "
                    + HealthVerdict.seconds(now.seconds(since: asked))
            }
            return state.sources.values.compactMap(\.failure).first {
                $0.code != .archiveDamaged
            }?.message
        }
    }

    /// Blocks until the stop signal.
    func run() {
        var last: MonotonicTime?
        while !stop.isRaised {
            let now = time.monotonic()
            let isDue = last.map { now.seconds(since: $0) >= Self.interval } ?? true
            if isDue { last = now }
            state.update { $0.asked = now }
            for board in boards where !stop.isRaised {
                let (changes, isOurs) = board.monitor.read { ($0.changes, $0.isOurs) }
                let isNews = state.read { $0.changes[board.source] } != changes
                if isDue || isNews || isUnread(board.source) {
                    look(board.source)
                    state.update { $0.changes[board.source] = changes }
                } else if !isOurs {
                    follow(board.source)
                }
            }
            state.update { $0.asked = nil }
            stop.wait(seconds: 1)
        }
    }

    /// Whether the last look failed for a reason that may be over: waiting for the next turn would
    /// show it for half a minute longer than it lasts.
    private func isUnread(_ source: SourceID) -> Bool {
        state.read { $0.sources[source]?.failure != nil }
    }

    private func look(_ source: SourceID) {
        do throws(TidemarkError) {
            guard let descriptor = try repository.descriptor(source) else {
                return state.update { $0.sources[source] = Seen() }
            }
            let reader = CatalogReader(
                repository, try Rooms.replayer(descriptor.kind), memory: memories[source])
            var snapshot = try reader.read(source, withWindows: true)
            // A listing may miss the file that is being sealed; what is lost stays lost.
            if snapshot.newestHole != nil {
                snapshot = try reader.read(source, withWindows: true)
            }
            let facts = ArchiveFacts(snapshot)
            let measured = try measured(source)
            state.update { [snapshot] in
                $0.sources[source] = Seen(snapshot: snapshot, facts: facts, measured: measured)
            }
        } catch {
            failed(source, error)
        }
    }

    private func measured(_ source: SourceID) throws(TidemarkError) -> RestoreMeasurement? {
        do throws(TidemarkError) {
            return try repository.restoreMeasurement(source)
        } catch let error where error.code == .archiveDamaged {
            // An estimate is no data: the next restore writes it anew, until then there is none.
            return nil
        }
    }

    /// Another process archives the source: what it writes down is news every second. It is not
    /// mixed with the older snapshot, whose segments end before it.
    private func follow(_ source: SourceID) {
        do throws(TidemarkError) {
            let mark = try repository.watermark(source)
            state.update { $0.sources[source]?.mark = mark }
        } catch {
            failed(source, error)
        }
    }

    private func failed(_ source: SourceID, _ error: TidemarkError) {
        state.update { $0.sources[source, default: Seen()].failure = error }
    }
}
