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
    private let state = Monitor(State())

    init(
        _ boards: [SourceBoard], _ repository: ArchiveRepository, stop: StopSignal,
        time: any TimeSource
    ) {
        self.boards = boards
        self.repository = repository
        self.stop = stop
        self.time = time
    }

    /// What is known of a source; nil before the first look.
    func seen(_ source: SourceID) -> Seen? { state.read { $0.sources[source] } }

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
                if isDue || isNews {
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

    private func look(_ source: SourceID) {
        do throws(TidemarkError) {
            guard let descriptor = try repository.descriptor(source) else {
                return state.update { $0.sources[source] = Seen() }
            }
            let reader = CatalogReader(repository, try Rooms.replayer(descriptor.kind))
            var snapshot = try reader.read(source)
            // A listing may miss the file that is being sealed; what is lost stays lost.
            if snapshot.newestHole != nil { snapshot = try reader.read(source) }
            state.update { [snapshot] in $0.sources[source] = Seen(snapshot: snapshot) }
        } catch {
            failed(source, error)
        }
    }

    /// Another process archives the source: what it writes down is news every second.
    private func follow(_ source: SourceID) {
        do throws(TidemarkError) {
            let mark = try repository.watermark(source)
            state.update { $0.sources[source]?.snapshot?.watermark = mark }
        } catch {
            failed(source, error)
        }
    }

    private func failed(_ source: SourceID, _ error: TidemarkError) {
        state.update { $0.sources[source, default: Seen()].failure = error }
    }
}
