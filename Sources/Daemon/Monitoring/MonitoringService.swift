import Logging
import Model
import Monitoring
import Platform
import ServiceLifecycle

/// Serves HTTP beside the archiving, and never in its way: a port that is taken is told, tried
/// again, and stops nothing.
final class MonitoringService: Service {
    private let listen: ListenAddress
    private let token: Secret?
    /// Whether the address was asked for, or is the default.
    private let isAsked: Bool
    private let catalog: CatalogWatch
    private let view: LiveStatus
    private let feed = LiveFeed()
    private let stop: StopSignal
    private let log: Logger

    /// Seconds between two attempts to listen.
    private static let retrySeconds = 10.0
    /// Seconds between two documents of the live feed.
    private static let feedSeconds = 1.0

    init(
        _ configuration: Configuration, listen: ListenAddress, catalog: CatalogWatch,
        view: LiveStatus, stop: StopSignal, log: Logger
    ) {
        self.listen = listen
        token = configuration.monitoringToken
        isAsked = configuration.isMonitoringAsked
        self.catalog = catalog
        self.view = view
        self.stop = stop
        self.log = log
    }

    func run() async throws {
        let (stop, feed) = (stop, feed)
        stop.onRaise { feed.finish() }
        try await withGracefulShutdownHandler {
            let reading = DedicatedThread<Void>("tm-catalog") { [catalog] in catalog.run() }
            let publishing = DedicatedThread<Void>("tm-feed") { self.publish() }
            try await serve()
            _ = try await publishing.value()
            // A repository that hangs may hold the reader for ever; nothing of it is unfinished.
            _ = reading
            try await gracefulShutdown()
        } onGracefulShutdown: {
            stop.raise()
        }
    }

    /// Returns after the stop signal.
    private func serve() async throws {
        let server = MonitoringServer(
            HTTPOptions(host: listen.host, port: Int(listen.port), token: token?.reveal()),
            view: view, feed: feed, log: log)
        var message = ""
        let (log, listen, stop) = (log, listen, stop)
        while !stop.isRaised {
            do throws(TidemarkError) {
                try await server.run { _ in
                    log.info("monitoring", metadata: ["url": "http://\(listen)/"])
                }
            } catch {
                if error.message != message {
                    log.log(level: isAsked ? .error : .notice, "\(error): goes on without")
                }
                message = error.message
                _ = try await DedicatedThread("tm-listen") {
                    stop.wait(seconds: Self.retrySeconds)
                }.value()
            }
        }
    }

    private func publish() {
        while !stop.wait(seconds: Self.feedSeconds) {
            if feed.isWanted { feed.publish(view.status()) }
        }
    }
}
