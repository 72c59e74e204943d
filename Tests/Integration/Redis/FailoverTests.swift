import Model
import Platform
import TestKit
import Testing

/// Who becomes the primary next: never the archiver, and the archive follows whoever does.
@Suite(.timeLimit(.minutes(5)))
struct FailoverTests {
    @Test func `a FAILOVER without a target takes the replica, and the archive goes on`()
        async throws
    {
        try await offPool {
            let (primary, replica) = try pair()
            let harness = try ArchiveHarness(primary)
            let sidecar = try harness.startWithBackup()
            for round in 0..<20 { try primary.command("SET", "k\(round)", "1") }
            try harness.waitArchived()
            try primary.command("FAILOVER")
            try eventually("the replica is the primary", seconds: 60) {
                try replica.info("role") == "master" && primary.info("role") == "slave"
                    && primary.info("master_link_status") == "up"
            }
            try replica.command("SET", "after", "1")
            // The server that was asked for is a replica now, of the same history.
            let id = try replica.info("master_replid")
            let end = try replica.offset()
            try eventually("it is archived", seconds: 60) {
                let status = try harness.status()
                return status.timeline == id
                    && status.archivedPosition.flatMap { UInt64($0) } ?? 0 >= end
            }
            #expect(try harness.status().gaps.isEmpty)
            let copy = try harness.restore(to: "latest")
            #expect(try harness.ask(copy, "DBSIZE") == "21")
            #expect(try sidecar.terminate().isSuccess)
            try harness.expect(0, ["verify", "--deep"])
        }
    }

    @Test func `a Sentinel lists the archiver as down, and promotes the replica`() async throws {
        try await offPool {
            let (primary, replica) = try pair()
            let harness = try ArchiveHarness(primary)
            let sidecar = try harness.startWithBackup()
            let sentinel = try Sentinel(primary, harness.folder)
            try eventually("the Sentinel knows both", seconds: 60) {
                try sentinel.ask("REPLICAS", "main").contains("\(replica.port)")
                    && sentinel.ask("REPLICAS", "main").contains("127.0.0.1:0")
            }
            try eventually("it takes the archiver for down", seconds: 60) {
                let lines = try sentinel.ask("REPLICAS", "main").split(separator: "\n")
                let ours = try #require(lines.firstIndex { $0 == "127.0.0.1:0" })
                return lines[ours...].prefix(12).contains { $0.contains("s_down") }
            }
            // So does the server itself tell of us: by our address, without a port.
            let told = try [primary.info("slave0"), primary.info("slave1")]
            #expect(told.contains { $0.hasPrefix("ip=127.0.0.1,port=0,state=online") }, "\(told)")
            let check = try harness.expect(0, ["check"])
            #expect(check.contains("lists the archiver as a replica that is down"))

            try primary.command("SET", "before", "1")
            try harness.waitArchived()
            try eventually("the replica has it") { try replica.offset() >= primary.offset() }
            primary.kill9()
            // A Sentinel that promotes a server closes the connections of its clients, ours too.
            try eventually("the replica is promoted", seconds: 90) {
                try (try? replica.info("role")) == "master"
                    && sentinel.ask("GET-MASTER-ADDR-BY-NAME", "main").contains(
                        "\(replica.port)")
            }
            #expect(try sidecar.terminate().isSuccess)
            try harness.write([("sessions", replica.url)])
            let again = try harness.start()
            try replica.command("SET", "after", "1")
            let id = try replica.info("master_replid")
            let end = try replica.offset()
            try eventually("it is archived", seconds: 60) {
                let status = try harness.status()
                return status.timeline == id
                    && status.archivedPosition.flatMap { UInt64($0) } ?? 0 >= end
            }
            #expect(try harness.status().gaps.isEmpty)
            let copy = try harness.restore(to: "latest")
            #expect(try harness.ask(copy, "MGET", "before", "after") == "1\n1")
            #expect(try again.terminate().isSuccess)
        }
    }

    private func pair() throws -> (primary: RedisServer, replica: RedisServer) {
        let primary = try RedisServer.start(["repl-backlog-size 64mb"])
        let replica = try RedisServer.start([
            "replicaof 127.0.0.1 \(primary.port)", "repl-backlog-size 64mb",
        ])
        try eventually("the replica is in step") {
            try replica.info("master_link_status") == "up"
        }
        return (primary, replica)
    }

    /// A Sentinel that watches one server and decides alone.
    final class Sentinel: Sendable {
        private let process: Subprocess
        let port: Int

        init(_ server: RedisServer, _ folder: String) throws {
            port = try freePort()
            try shell(
                """
                mkdir "$0"
                printf 'port %s\nsentinel monitor main 127.0.0.1 %s 1\n' "$1" "$2" > "$0/s.conf"
                printf 'sentinel down-after-milliseconds main 1000\n' >> "$0/s.conf"
                printf 'sentinel failover-timeout main 10000\n' >> "$0/s.conf"
                """, folder + "/sentinel", "\(port)", "\(server.port)")
            process = try Subprocess(
                "redis-server", [folder + "/sentinel/s.conf", "--sentinel"],
                SubprocessOptions(directory: folder, signalOnParentDeath: .kill))
        }

        deinit {
            process.signal(9)
            process.wait(seconds: 10)
        }

        func ask(_ words: String...) throws -> String {
            try Subprocess.run(
                "redis-cli", ["-p", "\(port)", "SENTINEL"] + words, seconds: 20
            ).output
        }
    }
}
