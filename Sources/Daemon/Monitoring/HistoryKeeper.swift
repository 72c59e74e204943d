import Logging
import Model
import Monitoring
import Platform
import Repository

/// Keeps the history of exposure and throughput in the archive, a file for each source and day.
///
/// A thread of its own reads and writes, so that a repository that hangs holds up neither the
/// archiving nor what is seen meanwhile. Only the process that archives a source writes its
/// history; another one shows what it found when it started.
final class HistoryKeeper: Sendable {
    private struct State: Sendable {
        var histories: [SourceID: SourceHistory] = [:]
        /// Minutes that are not in the archive yet.
        var pending: [SourceID: [HistoryPoint]] = [:]
        var isFinished = false
    }

    /// Days that are kept.
    static let dayLimit: Int64 = 90
    /// Minutes that may wait for a repository that is away.
    private static let pendingLimit = 1440
    /// Seconds between two attempts to write.
    private static let retrySeconds = 10.0

    private let boards: [SourceBoard]
    private let repository: ArchiveRepository
    private let time: any TimeSource
    private let log: Logger
    private let state = Monitor(State())

    init(
        _ boards: [SourceBoard], _ repository: ArchiveRepository, time: any TimeSource, log: Logger
    ) {
        self.boards = boards
        self.repository = repository
        self.time = time
        self.log = log
    }

    /// A minute is over, or what there is of it at the end.
    func add(_ source: SourceID, _ point: HistoryPoint) {
        state.update { state in
            state.histories[source, default: SourceHistory()].add(point)
            var waiting = state.pending[source] ?? []
            if waiting.count >= Self.pendingLimit { waiting.removeFirst() }
            waiting.append(point)
            state.pending[source] = waiting
        }
    }

    /// What is known of a source.
    func history(_ source: SourceID) -> SourceHistory {
        state.read { $0.histories[source] } ?? SourceHistory()
    }

    /// Nothing more is added: what waits is written once more, then `run` returns.
    func finish() { state.update { $0.isFinished = true } }

    /// Blocks until `finish`.
    func run() {
        var files = boards.map { HistoryWriter($0.source, repository, log) }
        while true {
            let isFinished = state.read { $0.isFinished }
            for (place, board) in boards.enumerated() {
                work(&files[place], isOurs: board.monitor.read { $0.isOurs })
            }
            if isFinished { return }
            let isWaiting = state.read { !$0.pending.isEmpty }
            _ = state.wait(seconds: isWaiting ? Self.retrySeconds : 3600) { state -> Bool? in
                state.isFinished || (!isWaiting && !state.pending.isEmpty) ? true : nil
            }
        }
    }

    /// Loads what is not loaded, and writes what waits.
    private func work(_ file: inout HistoryWriter, isOurs: Bool) {
        let source = file.source
        let today = HistoryPoint.day(of: HistoryPoint.minute(of: time.wall()))
        if let loaded = file.load(today: today, isOurs: isOurs) {
            state.update { state in
                var history = SourceHistory()
                for point in loaded + (state.pending[source] ?? []) { history.add(point) }
                state.histories[source] = history
            }
        }
        guard isOurs, file.isLoaded else { return }
        let waiting = state.update { $0.pending.removeValue(forKey: source) ?? [] }
        let left = file.write(waiting, today: today)
        guard !left.isEmpty else { return }
        state.update { state in
            state.pending[source] = Array(
                (left + (state.pending[source] ?? [])).suffix(Self.pendingLimit))
        }
    }
}
