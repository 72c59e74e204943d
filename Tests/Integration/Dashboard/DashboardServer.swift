import Glibc
import Logging
import Model
import Monitoring
import Platform
import ServiceLifecycle
import TestKit

/// Serves a sample sidecar on a free port, with a document of the live feed every fifth of a second,
/// while `body` looks at the page on a thread of its own.
func withDashboard(
    _ sidecar: SampleSidecar, token: String? = nil,
    _ body: @escaping @Sendable (DashboardServer) throws -> Void
) async throws {
    let server = DashboardServer(port: try freePort())
    // It ends as in the sidecar: in good order.
    let services = ServiceGroup(
        configuration: ServiceGroupConfiguration(
            services: [
                .init(
                    service: Served { try await server.serve(sidecar, token: token) },
                    successTerminationBehavior: .gracefullyShutdownGroup)
            ], logger: Logger(label: "dashboard") { _ in SwiftLogNoOpLogHandler() }))
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await services.run() }
        group.addTask { try await offPool { try server.publish(sidecar) } }
        let done = await Result { () async throws in
            try await offPool {
                try server.waitUntilServed()
                try body(server)
            }
        }
        server.end()
        await services.triggerGracefulShutdown()
        try await group.waitForAll()
        try done.get()
    }
}

private struct Served: Service {
    let body: @Sendable () async throws -> Void
    func run() async throws { try await body() }
}

extension Result where Failure == any Error {
    fileprivate init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}

/// The real monitoring server, in this process.
final class DashboardServer: Sendable {
    private struct State {
        var isServed = false
        var isOver = false
        var isSilent = false
    }

    let port: Int
    private let state = Monitor(State())
    private let feed = LiveFeed()

    init(port: Int) { self.port = port }

    var url: String { "http://127.0.0.1:\(port)/" }

    func serve(_ sidecar: SampleSidecar, token: String?) async throws {
        try await MonitoringServer(
            HTTPOptions(host: "127.0.0.1", port: port, token: token), view: sidecar, feed: feed,
            log: Logger(label: "dashboard")
        ).run { _ in self.state.update { $0.isServed = true } }
    }

    func publish(_ sidecar: SampleSidecar) throws {
        while true {
            let isOver = state.wait(seconds: 0.2) { $0.isOver ? true : nil as Bool? }
            if isOver != nil { return }
            if !state.read({ $0.isSilent }) { try feed.publish(LiveDocument(sidecar)) }
        }
    }

    /// The feed stays open and says nothing more: a sidecar that hangs.
    func fallSilent() { state.update { $0.isSilent = true } }

    func waitUntilServed() throws {
        guard state.wait(seconds: 20, { $0.isServed ? true : nil as Bool? }) != nil else {
            throw TidemarkError(.failed, "the monitoring server was not up within 20 s")
        }
    }

    func end() {
        feed.finish()
        state.update { $0.isOver = true }
    }

    /// Keeps a picture for people: in the folder of the artifacts of a CI run, else nowhere.
    static func keep(_ picture: [UInt8], _ name: String) throws {
        // A PNG of a page that shows anything is not small.
        guard picture.count > 10_000 else {
            throw TidemarkError(.failed, "the picture \(name) has \(picture.count) bytes")
        }
        guard let folder = getenv("TIDEMARK_ARTIFACTS").map({ String(cString: $0) }) else { return }
        mkdir(folder, 0o755)
        let file = open("\(folder)/dashboard-\(name).png", O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        defer { close(file) }
        var rest = picture[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
            guard count > 0 else {
                throw TidemarkError(.failed, "cannot write \(name) to \(folder) (errno \(errno))")
            }
            rest = rest.dropFirst(count)
        }
    }
}
