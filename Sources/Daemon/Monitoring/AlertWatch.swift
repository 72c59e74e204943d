import Model
import Monitoring

/// What is raised of every source: told to the webhooks, and kept in the archive once it is told,
/// so that the next process neither tells it twice nor forgets to take it back. Of one thread.
struct AlertWatch {
    /// Looks, two a second, for which the archive may owe what the last process had raised. An
    /// alert that is told twice is the smaller evil than one that is late.
    private static let patience = 2

    private let history: HistoryKeeper
    private let senders: [WebhookSender]
    private let host: String
    private var trackers: [SourceID: AlertTracker] = [:]
    /// Looks at a source before what was raised of it was known.
    private var waited: [SourceID: Int] = [:]
    /// Sources of which it is known.
    private var known: Set<SourceID> = []

    init(_ history: HistoryKeeper, _ senders: [WebhookSender], host: String) {
        self.history = history
        self.senders = senders
        self.host = host
    }

    /// - Parameters:
    ///   - repository: `ok`, or why it does not take what is to be archived.
    mutating func look(
        _ source: SourceStatus, isOurs: Bool, _ repository: String, _ now: ClockReading
    ) {
        let name = source.name
        var tracker = trackers[name] ?? AlertTracker()
        if isOurs, !known.contains(name) {
            if let raised = history.raised(name) {
                tracker.takeUp(raised)
                known.insert(name)
            } else if waited[name, default: 0] < Self.patience {
                waited[name, default: 0] += 1
                return
            }
        }
        let news = tracker.observe(
            source, repository: repository, now: now.uptime, wall: now.wall)
        for var alert in news {
            alert.host = host
            for sender in senders { sender.offer(alert) }
        }
        trackers[name] = tracker
        if isOurs, known.contains(name) { history.keep(name, raised: told(name, tracker)) }
    }

    /// What is raised and every receiver knows of, or is over without every receiver knowing it.
    private func told(_ source: SourceID, _ tracker: AlertTracker) -> [AlertEvent: CommitTime] {
        var told = tracker.standing
        for event in AlertEvent.allCases {
            let untold = senders.compactMap { $0.untold(source, event) }
            if untold.contains(where: { $0.step == .raised }) {
                told[event] = nil
            } else if let over = untold.first(where: { $0.step == .recovered }) {
                told[event] = over.since
            }
        }
        return told
    }
}
