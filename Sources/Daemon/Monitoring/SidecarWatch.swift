import Logging
import Model
import Monitoring
import Platform
import Repository

/// Looks at every source twice a second, for the log, the history, the alerts and the pages that
/// listen.
///
/// It only looks at memory and hands on; nothing that it does can hang.
final class SidecarWatch: Sendable {
    /// Seconds between two looks.
    private static let interval = 0.5
    /// Every n-th look goes to the pages.
    private static let feedLooks = 2

    private let view: LiveStatus
    private let history: HistoryKeeper
    private let senders: [WebhookSender]
    private let feed: LiveFeed
    private let stop: StopSignal
    private let time: any TimeSource
    private let host: String
    private let log: Logger

    init(
        _ view: LiveStatus, _ history: HistoryKeeper, _ senders: [WebhookSender], _ feed: LiveFeed,
        stop: StopSignal, time: any TimeSource, host: String, log: Logger
    ) {
        self.view = view
        self.history = history
        self.senders = senders
        self.feed = feed
        self.stop = stop
        self.time = time
        self.host = host
        self.log = log
    }

    /// Blocks until the stop signal.
    func run() {
        var collectors: [SourceID: MinuteCollector] = [:]
        var alerts = AlertWatch(history, senders, host: host)
        var looks = 0
        var trouble = ""
        var changes = StateChanges()
        while !stop.wait(seconds: Self.interval) {
            let now = time.reading()
            let document = view.status()
            let counters = Dictionary(uniqueKeysWithValues: view.counters().map { ($0.0, $0.2) })
            let repository = document.repository.state
            // At a start nothing is known of a source, and nothing is wrong with that, unless it is
            // the repository that does not tell.
            for source in document.sources
            where view.hasLooked(source.name) || repository != "ok" {
                let isOurs = view.isOurs(source.name)
                alerts.look(source, isOurs: isOurs, repository, now)
                guard isOurs else { continue }
                for line in changes.observe(source) {
                    log.info("\(line.message)", metadata: line.metadata)
                }
                let finished = collectors[source.name, default: MinuteCollector()].add(
                    minute: HistoryPoint.minute(of: now.wall), exposure: source.exposureSeconds,
                    archivedBytes: counters[source.name]?.archivedBytes ?? 0)
                if let finished { history.add(source.name, finished) }
            }
            if looks % Self.feedLooks == 0, feed.isWanted {
                publish(LiveDocument(document, view), &trouble)
            }
            looks += 1
        }
        for source in collectors.keys {
            if let rest = collectors[source]?.finish() { history.add(source, rest) }
        }
    }

    /// A document that cannot be written is told once: the pages say themselves that nothing comes.
    private func publish(_ document: LiveDocument, _ trouble: inout String) {
        do throws(TidemarkError) {
            try feed.publish(document)
            trouble = ""
        } catch {
            if error.message != trouble { log.error("the pages get nothing: \(error)") }
            trouble = error.message
        }
    }
}
