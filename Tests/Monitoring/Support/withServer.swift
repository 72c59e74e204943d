import Logging
import Model
import Monitoring
import ServiceLifecycle
import TestKit

/// Runs `body` on a thread of its own beside a monitoring server on a free port.
///
/// The server ends as in the sidecar: in good order, not by cancellation, which NIO takes for a
/// fault while a connection is being accepted.
func withServer(
    _ view: any SidecarView = FixedView(), token: String? = nil, feed: LiveFeed = LiveFeed(),
    _ body: @escaping @Sendable (Int) throws -> Void
) async throws {
    let port = try freePort()
    let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let server = try MonitoringServer(
        HTTPOptions(host: "127.0.0.1", port: port, token: token), view: view, feed: feed, log: log)
    let (running, tell) = AsyncStream.makeStream(of: Void.self)
    let services = ServiceGroup(
        configuration: ServiceGroupConfiguration(
            services: [
                .init(
                    service: ServedUntilShutdown(server: server, running: { tell.finish() }),
                    successTerminationBehavior: .gracefullyShutdownGroup)
            ], logger: log))
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await services.run() }
        for await _ in running {}
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(try await offPool { try body(port) })
        } catch {
            outcome = .failure(error)
        }
        feed.finish()
        await services.triggerGracefulShutdown()
        try await group.waitForAll()
        try outcome.get()
    }
}

private struct ServedUntilShutdown: Service {
    let server: MonitoringServer
    let running: @Sendable () -> Void

    func run() async throws {
        let running = running
        try await server.run { _ in running() }
    }
}
