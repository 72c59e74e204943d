import Catalog
import Logging
import Model
import Platform
import Recovery
import Repository

/// Searches the archive for destructive events, for the time axis: each sealed segment once, the
/// newest first, and the open one when it has grown.
///
/// A thread of its own reads, a segment at a time, and rests after each for many times as long as
/// it took, so that a long archive costs no more than a small share of a processor and of the disk.
/// What was found is kept in the archive: a new process goes on where the last one was. Only the
/// process that archives a source searches; another one shows what that wrote down.
final class EventWatch: Sendable {
    /// What is known of one source.
    struct Found: Sendable {
        /// By timeline and position.
        var events: [DestructiveEvent]
        /// Whether everything that is archived has been searched.
        var isComplete: Bool
    }

    /// Rests, as a multiple of the time that the work before took, and in seconds.
    private static let restFactor = 49.0
    private static let rest = 0.05...30.0
    /// Seconds between two looks at what is new.
    private static let interval = 2.0

    private let boards: [SourceBoard]
    private let repository: ArchiveRepository
    private let catalog: CatalogWatch
    private let stop: StopSignal
    private let time: any TimeSource
    private let log: Logger
    private let state = Monitor<[SourceID: Found]>([:])

    init(
        _ boards: [SourceBoard], _ repository: ArchiveRepository, _ catalog: CatalogWatch,
        stop: StopSignal, time: any TimeSource, log: Logger
    ) {
        self.boards = boards
        self.repository = repository
        self.catalog = catalog
        self.stop = stop
        self.time = time
        self.log = log
    }

    /// What is known of a source; nil while nothing is, and where nothing can be found in it.
    func found(_ source: SourceID) -> Found? { state.read { $0[source] } }

    /// Blocks until the stop signal.
    func run() {
        var searches = boards.map { EventSearch($0.source, repository) }
        while !stop.isRaised {
            var hasMore = false
            for (place, board) in boards.enumerated() where !stop.isRaised {
                guard let snapshot = catalog.seen(board.source)?.snapshot else { continue }
                let began = time.monotonic()
                let isOurs = board.monitor.read { $0.isOurs }
                work(&searches[place], snapshot, isOurs)
                guard searches[place].hasMore else { continue }
                hasMore = true
                let took = time.monotonic().seconds(since: began)
                stop.wait(
                    seconds: min(
                        max(took * Self.restFactor, Self.rest.lowerBound), Self.rest.upperBound))
            }
            if !hasMore { stop.wait(seconds: Self.interval) }
        }
        for place in searches.indices { close(&searches[place]) }
    }

    private func work(_ search: inout EventSearch, _ snapshot: CatalogSnapshot, _ isOurs: Bool) {
        do throws(TidemarkError) {
            guard let found = try search.step(snapshot, isOurs: isOurs, now: time.monotonic())
            else { return }
            let source = search.source
            state.update { $0[source] = found }
            search.succeeded()
        } catch {
            guard search.failed(error, now: time.monotonic()) else { return }
            log.warning(
                "destructive events cannot be searched: \(error)",
                metadata: ["source": "\(search.source)"])
        }
    }

    /// What was found since the last time goes into the archive, if it lets itself be written.
    private func close(_ search: inout EventSearch) {
        do throws(TidemarkError) {
            try search.save()
        } catch {
            log.debug(
                "what was searched is searched again: \(error)",
                metadata: ["source": "\(search.source)"])
        }
    }
}
