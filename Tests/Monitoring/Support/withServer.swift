import Logging
import Model
import Monitoring
import TestKit

/// Runs `body` on a thread of its own beside a monitoring server on a free port.
func withServer(
    _ view: any SidecarView = FixedView(), token: String? = nil, feed: LiveFeed = LiveFeed(),
    _ body: @escaping @Sendable (Int) throws -> Void
) async throws {
    let port = try freePort()
    let server = try MonitoringServer(
        HTTPOptions(host: "127.0.0.1", port: port, token: token), view: view, feed: feed,
        log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    let (running, tell) = AsyncStream.makeStream(of: Void.self)
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await server.run { _ in tell.finish() } }
        for await _ in running {}
        do {
            try await offPool { try body(port) }
        } catch {
            feed.finish()
            group.cancelAll()
            throw error
        }
        feed.finish()
        group.cancelAll()
        try await group.waitForAll()
    }
}
