import FoundationEssentials
import Model
import TestKit

/// A sidecar that serves HTTP, as the tests ask it.
struct MonitoredSidecar: Sendable {
    let side: SidecarHarness
    let port: Int

    init(
        _ server: PostgresServer, rpo: String = "15m", name: String = "side", more: String = "",
        lines: [String] = []
    ) throws {
        port = try freePort()
        side = try SidecarHarness(
            server, rpo: rpo, name: name,
            lines: ["monitoring: { listen: \"127.0.0.1:\(port)\"\(more) }"] + lines)
    }

    func get(_ path: String) throws -> LoopbackHTTP.Answer { try LoopbackHTTP.get(port, path) }

    /// The source as `/api/status` shows it.
    func status() throws -> StatusReport { try StatusReport.first(of: get("/api/status").body) }

    /// Waits until `/health/database` answers so; returns its body.
    @discardableResult
    func waitHealth(_ status: Int, seconds: Double = 60) throws -> String {
        try LoopbackHTTP.waitHealth(port, status, seconds: seconds)
    }

    /// The first sample of this name; nil when there is none.
    func metric(_ name: String) throws -> Double? { try LoopbackHTTP.metric(port, name) }
}
