import Model
import Monitoring
import Platform
import Repository

/// Looks at every source twice a second, for the history, the alerts and the pages that listen.
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

    init(
        _ view: LiveStatus, _ history: HistoryKeeper, _ senders: [WebhookSender], _ feed: LiveFeed,
        stop: StopSignal, time: any TimeSource, host: String
    ) {
        self.view = view
        self.history = history
        self.senders = senders
        self.feed = feed
        self.stop = stop
        self.time = time
        self.host = host
    }

    /// Blocks until the stop signal.
    func run() {
        var collectors: [SourceID: MinuteCollector] = [:]
        var alerts = AlertWatch(history, senders, host: host)
        var looks = 0
        while !stop.wait(seconds: Self.interval) {
            let now = time.reading()
            let document = view.status()
            let counters = Dictionary(uniqueKeysWithValues: view.counters().map { ($0.0, $0.2) })
            for source in document.sources where view.isRead(source.name) {
                let isOurs = view.isOurs(source.name)
                alerts.look(source, isOurs: isOurs, document.repository.state, now)
                guard isOurs else { continue }
                let finished = collectors[source.name, default: MinuteCollector()].add(
                    minute: HistoryPoint.minute(of: now.wall), exposure: source.exposureSeconds,
                    archivedBytes: counters[source.name]?.archivedBytes ?? 0)
                if let finished { history.add(source.name, finished) }
            }
            if looks % Self.feedLooks == 0, feed.isWanted {
                feed.publish(LiveDocument(document, view))
            }
            looks += 1
        }
        for source in collectors.keys {
            if let rest = collectors[source]?.finish() { history.add(source, rest) }
        }
    }
}
