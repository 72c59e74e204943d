import Logging
import Model
import Monitoring
import ServiceLifecycle

/// Runs the HTTP server so that it always ends in good order, cancelled or not, see
/// `MonitoringServer.run`.
///
/// It runs in a task that nobody cancels; what ends us asks it to shut down.
struct UncancelledServer: Sendable {
    private let server: MonitoringServer

    init(_ server: MonitoringServer) { self.server = server }

    /// Throws `configuration` when the address cannot be listened on.
    func run(running: @escaping @Sendable (Int?) -> Void = { _ in }) async throws(TidemarkError) {
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [
                    .init(
                        service: Served(server: server, running: running),
                        successTerminationBehavior: .gracefullyShutdownGroup,
                        failureTerminationBehavior: .gracefullyShutdownGroup)
                ], logger: Logger(label: "http") { _ in SwiftLogNoOpLogHandler() }))
        let work = Task { try await group.run() }
        let outcome = await withTaskCancellationOrGracefulShutdownHandler {
            await work.result
        } onCancelOrGracefulShutdown: {
            Task { await group.triggerGracefulShutdown() }
        }
        do {
            try outcome.get()
        } catch let error as TidemarkError {
            throw error
        } catch is ServiceGroupError {
            // It was ended before it had begun.
        } catch {
            throw TidemarkError(.failed, "the monitoring server ended", cause: error)
        }
    }

    private struct Served: Service {
        let server: MonitoringServer
        let running: @Sendable (Int?) -> Void

        func run() async throws { try await server.run(running: running) }
    }
}
