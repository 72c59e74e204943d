import Logging
import Model
import Monitoring
import Platform

/// Brings alerts to one webhook, one after the other; a receiver that is away holds up nobody else.
final class WebhookSender: Sendable {
    /// What the waits of a message may add up to, in seconds, before it is given up.
    private static let patience = 3600.0

    private let name: String
    private let events: Set<AlertEvent>
    private let client: WebhookClient
    private let stop: StopSignal
    private let time: any TimeSource
    private let log: Logger
    private let queue = Monitor(AlertQueue())

    /// - Parameter name: how it is called in the log, where its URL must not stand.
    init(
        _ name: String, _ configuration: AlertConfiguration, stop: StopSignal,
        time: any TimeSource, log: Logger
    ) {
        self.name = name
        events = configuration.events
        client = WebhookClient(configuration.webhook.reveal())
        self.stop = stop
        self.time = time
        self.log = log
    }

    /// Takes an alert that this webhook is for; returns at once.
    func offer(_ alert: Alert) {
        if events.contains(alert.event) { queue.update { $0.add(alert) } }
    }

    /// The newest message about this that the receiver does not have yet.
    func untold(_ source: SourceID, _ event: AlertEvent) -> Alert? {
        queue.read { $0.untold(source, event) }
    }

    /// Blocks until the stop signal.
    func run() {
        defer { client.close() }
        let queue = queue
        stop.onRaise { queue.update { _ in } }
        while !stop.isRaised {
            let next = queue.wait(seconds: 3600) { [stop] waiting -> (Alert, Int)? in
                stop.isRaised ? nil : waiting.next().map { ($0, waiting.takeDropped()) }
            }
            guard let (alert, dropped) = next else { continue }
            if dropped > 0 {
                log.error("alerts were dropped: too many wait", metadata: place(alert))
            }
            if deliver(alert) { queue.update { $0.sent() } }
        }
    }

    /// Whether it is done with: delivered, or given up.
    private func deliver(_ alert: Alert) -> Bool {
        var backoff = Backoff(first: 0.5, limit: 60)
        var random = SystemRandomNumberGenerator()
        let began = time.monotonic()
        var isTold = false
        while !stop.isRaised {
            do throws(TidemarkError) {
                try client.send(alert)
                log.info("alert sent", metadata: place(alert))
                return true
            } catch {
                let isOver = time.monotonic().seconds(since: began) > Self.patience
                if !error.code.isRetryable || isOver {
                    log.error("an alert was given up: \(error)", metadata: place(alert))
                    return true
                }
                if !isTold { log.warning("an alert waits: \(error)", metadata: place(alert)) }
                isTold = true
                stop.wait(seconds: backoff.next(using: &random))
            }
        }
        return false
    }

    private func place(_ alert: Alert) -> Logger.Metadata {
        [
            "webhook": "\(name)", "source": "\(alert.source)", "event": "\(alert.event.rawValue)",
            "step": "\(alert.step.rawValue)",
        ]
    }
}
