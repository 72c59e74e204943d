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
        /// Alerts as the archive has them, once they are loaded, and those to be written.
        var raised: [SourceID: [AlertEvent: CommitTime]] = [:]
        var unsaved: [SourceID: [AlertEvent: CommitTime]] = [:]
        var isFinished = false

        var isWaiting: Bool { !pending.isEmpty || !unsaved.isEmpty }
    }

    /// Days that are kept.
    static let dayLimit: Int64 = 90
    /// Minutes that may wait for a repository that is away.
    private static let pendingLimit = 1440
    /// Seconds between two attempts to read or write.
    private static let retrySeconds = 10.0
    /// Seconds between two looks at whose the sources are; what was raised has to be known as soon
    /// as one is ours, since no alert leaves before.
    private static let turnSeconds = 0.2

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
            state.histories[source, default: SourceHistory()].add(
                point, now: HistoryPoint.minute(of: time.wall()))
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

    /// What an earlier process has raised and told, as the archive keeps it; nil until it is known.
    func raised(_ source: SourceID) -> [AlertEvent: CommitTime]? {
        state.read { $0.raised[source] }
    }

    /// Keeps what is raised and told now, for the next process.
    func keep(_ source: SourceID, raised: [AlertEvent: CommitTime]) {
        state.update { state in
            guard state.raised[source] != raised else { return }
            state.raised[source] = raised
            state.unsaved[source] = raised
        }
    }

    /// Nothing more is added: what waits is written once more, then `run` returns.
    func finish() { state.update { $0.isFinished = true } }

    /// Blocks until `finish`.
    func run() {
        var files = boards.map { HistoryWriter($0.source, repository, log) }
        while true {
            let isFinished = state.read { $0.isFinished }
            let ours = ours
            // What was raised comes before years of curves: an alert waits for it.
            for place in boards.indices where ours[place] { workAlerts(&files[place]) }
            for place in boards.indices { work(&files[place], isOurs: ours[place]) }
            if isFinished { return }
            let isLoaded = boards.indices.allSatisfy { place in
                files[place].isLoaded(isOurs: ours[place])
                    && (!ours[place] || raised(files[place].source) != nil)
            }
            rest(ours, isLoaded: isLoaded)
        }
    }

    /// Which of the sources this process archives.
    private var ours: [Bool] { boards.map { $0.monitor.read { $0.isOurs } } }

    /// Waits until there is something to do, or to try again.
    private func rest(_ seen: [Bool], isLoaded: Bool) {
        let isWaiting = state.read { $0.isWaiting }
        var left = isWaiting || !isLoaded ? Self.retrySeconds : 3600
        while left > 0 {
            let slice = seen.allSatisfy { $0 } ? left : min(left, Self.turnSeconds)
            let isNews = state.wait(seconds: slice) { state -> Bool? in
                state.isFinished || (!isWaiting && state.isWaiting) ? true : nil
            }
            if isNews != nil || ours != seen { return }
            left -= slice
        }
    }

    /// Loads what is not loaded, and writes what waits.
    private func work(_ file: inout HistoryWriter, isOurs: Bool) {
        let source = file.source
        let today = HistoryPoint.day(of: HistoryPoint.minute(of: time.wall()))
        if let loaded = file.load(today: today, isOurs: isOurs) {
            state.update { state in
                var history = SourceHistory()
                let now = HistoryPoint.minute(of: time.wall())
                for point in loaded + (state.pending[source] ?? []) { history.add(point, now: now) }
                state.histories[source] = history
            }
        }
        guard isOurs, file.isLoaded(isOurs: true) else { return }
        let waiting = state.update { $0.pending.removeValue(forKey: source) ?? [] }
        let left = file.write(waiting, today: today)
        guard !left.isEmpty else { return }
        state.update { state in
            state.pending[source] = Array(
                (left + (state.pending[source] ?? [])).suffix(Self.pendingLimit))
        }
    }

    private func workAlerts(_ file: inout HistoryWriter) {
        let source = file.source
        if state.read({ $0.raised[source] }) == nil, let known = file.loadAlerts() {
            state.update { $0.raised[source] = $0.raised[source] ?? known }
        }
        guard let wanted = state.update({ $0.unsaved.removeValue(forKey: source) }) else { return }
        if !file.writeAlerts(wanted) {
            state.update { $0.unsaved[source] = $0.unsaved[source] ?? wanted }
        }
    }
}
