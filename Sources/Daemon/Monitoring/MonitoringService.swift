import Logging
import Model
import Monitoring
import Platform
import Repository
import ServiceLifecycle

/// Everything that looks on while the sources are archived: it reads the catalog, keeps the
/// history, calls whom it should, and serves HTTP. Never in the way of the archiving: a port that
/// is taken is told, tried again, and stops nothing.
final class MonitoringService: Service {
    private let listen: ListenAddress?
    /// Whether the address was asked for, or is the default.
    private let isAsked: Bool
    private let server: MonitoringServer?
    private let scheme: String
    private let catalog: CatalogWatch
    private let events: EventWatch
    private let history: HistoryKeeper
    private let senders: [WebhookSender]
    private let watch: SidecarWatch
    private let feed = LiveFeed()
    private let stop: StopSignal
    private let log: Logger

    /// Seconds between two attempts to listen.
    private static let retrySeconds = 10.0
    /// Seconds that the last minute of the history may take to be written.
    private static let endSeconds = 1.0

    /// Throws `configuration` when the certificate or key cannot be used.
    init(
        _ configuration: Configuration, boards: [SourceBoard], _ repository: ArchiveRepository,
        stop: StopSignal, time: any TimeSource, log: Logger
    ) throws(TidemarkError) {
        let settings = configuration.monitoring
        self.stop = stop
        self.log = log
        listen = settings.listen
        isAsked = settings.isAsked
        scheme = settings.tls == nil ? "http" : "https"
        catalog = CatalogWatch(boards, repository, stop: stop, time: time)
        events = EventWatch(boards, repository, catalog, stop: stop, time: time, log: log)
        history = HistoryKeeper(boards, repository, time: time, log: log)
        let feed = feed
        let view = LiveStatus(
            zip(configuration.sources, boards).map {
                LiveStatus.Subject(configuration: $0, board: $1)
            },
            repository: configuration.repository.url.description, catalog: catalog,
            events: events, history: history, time: time)
        senders = settings.alerts.enumerated().map { place, alert in
            WebhookSender("alerts[\(place)]", alert, stop: stop, time: time, log: log)
        }
        watch = SidecarWatch(
            view, history, senders, feed, stop: stop, time: time, host: Machine.name, log: log)
        server = try settings.listen.map { (listen) throws(TidemarkError) in
            try MonitoringServer(
                HTTPOptions(
                    host: listen.host, port: Int(listen.port), token: settings.token?.reveal(),
                    tls: settings.tls), view: view, feed: feed, log: log)
        }
    }

    func run() async throws {
        let (stop, feed, catalog, history, watch) = (stop, feed, catalog, history, watch)
        let events = events
        stop.onRaise { feed.finish() }
        try await withTaskCancellationOrGracefulShutdownHandler {
            // A repository that hangs may hold the reader for ever; nothing of it is unfinished.
            _ = DedicatedThread<Void>("tm-catalog") { catalog.run() }
            _ = DedicatedThread<Void>("tm-events") { events.run() }
            for sender in senders { _ = DedicatedThread<Void>("tm-alert") { sender.run() } }
            let keeping = DedicatedThread<Void>("tm-history") { history.run() }
            let watching = DedicatedThread<Void>("tm-watch") { watch.run() }
            try await serve()
            try await watching.value()
            history.finish()
            // It is given up where the repository does not answer: a curve is no data.
            _ = try await DedicatedThread("tm-end") { () throws(TidemarkError) in
                try keeping.join(seconds: Self.endSeconds)
            }.value()
            try await gracefulShutdown()
        } onCancelOrGracefulShutdown: {
            stop.raise()
        }
    }

    /// Returns after the stop signal.
    private func serve() async throws {
        guard let server, let listen else { return try await pause(.infinity) }
        var message = ""
        let (log, scheme) = (log, scheme)
        while !stop.isRaised {
            do throws(TidemarkError) {
                try await UncancelledServer(server).run { _ in
                    log.info("monitoring", metadata: ["url": "\(scheme)://\(listen)/"])
                }
            } catch {
                if error.message != message {
                    log.log(level: isAsked ? .error : .notice, "\(error): goes on without")
                }
                message = error.message
                try await pause(Self.retrySeconds)
            }
        }
    }

    /// Waits for the stop signal, at most so long.
    private func pause(_ seconds: Double) async throws {
        let stop = stop
        _ = try await DedicatedThread("tm-listen") { stop.wait(seconds: seconds) }.value()
    }
}
