import FoundationEssentials
import Glibc
import Model
import Platform
import TestKit

/// A real Postgres and a real Redis, the sidecar that archives both, and its page.
final class DashboardSidecar: SidecarUse, Sendable {
    let postgres: PostgresServer
    let redis: RedisServer
    let folder: String
    let config: String
    let port: Int
    var user: UserIdentity? { PostgresTools.user }

    init() throws {
        postgres = try PostgresServer.start()
        redis = try RedisServer.start()
        folder = try postgres.makeDirectory("both")
        config = folder + "/tidemark.yml"
        port = try freePort()
        let text = """
            repository: { url: "file://\(folder)/archive" }
            sources:
              ledger: { url: "\(postgres.url())", rpo: 15m }
              sessions: { url: "\(redis.url)", rpo: 1h }
            monitoring: { listen: "127.0.0.1:\(port)" }

            """
        try postgres.run("/bin/sh", ["-c", "cat > \"$0\"", config], input: Array(text.utf8))
    }

    var url: String { "http://127.0.0.1:\(port)/" }

    /// One source of a document, as far as the test looks.
    private struct Source: Decodable {
        struct Window: Decodable { var from: String; var to: String }
        var name: String
        var restorable: String?
        var windows: [Window]

        enum CodingKeys: String, CodingKey {
            case name
            case restorable = "restorable_to"
            case windows = "recovery_windows"
        }
    }

    private struct Status: Decodable { var sources: [Source] }

    private func sources() throws -> [Source] {
        let body = try LoopbackHTTP.get(port, "/api/status").body
        return try JSONDecoder().decode(Status.self, from: Data(body.utf8)).sources
    }

    /// Waits until everything committed up to `moment` can be restored, from before `start` on.
    func waitRestorable(from start: CommitTime?, to moment: CommitTime) throws {
        try eventually("both can be restored up to \(moment)", seconds: 60) {
            guard let sources = try? sources(), sources.count == 2 else { return false }
            return sources.allSatisfy { source in
                guard let first = source.windows.first.flatMap({ CommitTime($0.from) }),
                    let last = source.restorable.flatMap({ CommitTime($0) })
                else { return false }
                return start.map { first < $0 } ?? true && last > moment
            }
        }
    }

    /// Runs a command as somebody would who copied it: by a shell, in a folder of theirs.
    func paste(_ command: String) throws -> CompletedProcess {
        let program = try TidemarkProcess.program()
        let place = program.lastIndex(of: "/").map { String(program[..<$0]) } ?? "."
        return try Subprocess.run(
            "/bin/sh", ["-c", command],
            SubprocessOptions(
                environment: ["PATH": "\(place):/usr/bin:/bin", "HOME": folder], directory: folder,
                user: user, signalOnParentDeath: .kill), seconds: 60)
    }

    /// The machine's clock, which both servers use.
    var now: CommitTime { SystemTimeSource().wall() }

    /// Lets the clocks go on.
    func pause(_ seconds: Double) { poll(nil, 0, Int32(seconds * 1000)) }
}
