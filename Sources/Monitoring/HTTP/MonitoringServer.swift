import Hummingbird
import HummingbirdCore
package import Logging
package import Model
import NIOCore
import Platform
import ServiceLifecycle

/// The HTTP server of the sidecar: health, metrics, status and the dashboard.
package struct MonitoringServer: Sendable {
    private let options: HTTPOptions
    private let view: any SidecarView
    private let feed: LiveFeed
    private let log: Logger
    private let tls: ServerTLS?
    private let roster = ConnectionRoster()

    /// Connections at once, more than `ConnectionRoster` lets stay; the rest waits in the kernel.
    private static let connectionLimit = 512
    /// A connection that says nothing for so long is closed.
    private static let idleSeconds: Int64 = 60
    /// Bytes of a request's headers.
    private static let headerLimit = 16 << 10

    /// Throws `configuration` when certificate or key cannot be used.
    package init(
        _ options: HTTPOptions, view: any SidecarView, feed: LiveFeed, log: Logger
    ) throws(TidemarkError) {
        self.options = options
        self.view = view
        self.feed = feed
        self.log = log
        tls = try options.tls.map { (files) throws(TidemarkError) in
            try ServerTLS(files)
        }
    }

    private func builder() throws -> HTTPServerBuilder {
        let roster = roster
        let plain = HTTPServerBuilder.http1(
            configuration: .init(
                additionalChannelHandlers: [ConnectionGuard(roster)],
                idleTimeout: .seconds(Self.idleSeconds),
                httpDecoderConfiguration: .init(
                    maxHeaderFieldSize: Self.headerLimit, maxHeaderListSize: Self.headerLimit,
                    maxHeaderFieldCount: 100)))
        return try tls?.around(plain) ?? plain
    }

    /// Serves until the task shuts down gracefully. Its cancellation would be a fault: NIO stops
    /// the program when a connection that was just accepted is let go without having been served.
    ///
    /// Throws `usage` when the address cannot be listened on.
    ///
    /// - Parameter running: called with the port once connections are accepted.
    package func run(
        running: @escaping @Sendable (Int?) -> Void = { _ in }
    ) async throws(TidemarkError) {
        var quiet = log
        quiet.logLevel = .error
        do {
            let application = Application(
                router: Routes(view: view, feed: feed, options: options).router(),
                server: try builder(),
                configuration: ApplicationConfiguration(
                    address: .hostname(
                        options.host.isEmpty ? "::" : options.host, port: options.port),
                    availableConnectionsDelegate: MaximumAvailableConnections(Self.connectionLimit)
                ), onServerRunning: { channel in running(channel.localAddress?.port) },
                logger: quiet)
            try await application.run()
        } catch is CancellationError {
            return
        } catch {
            throw cannotListen(error)
        }
    }

    private func cannotListen(_ error: any Error) -> TidemarkError {
        let place = "cannot listen on \(options.host):\(options.port)"
        let remedy =
            "free the port (ss -ltnp sport = :\(options.port) shows who has it), or give "
            + "monitoring.listen another one"
        guard let number = (error as? IOError)?.errnoCode else {
            return TidemarkError(.configuration, place, remedy: remedy, cause: error)
        }
        return TidemarkError(
            .configuration, "\(place): \(ListenTest.Failure(number: number).words)",
            remedy: remedy)
    }
}
