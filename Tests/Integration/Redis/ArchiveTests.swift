import Model
import Platform
import TestKit
import Testing

/// The whole way: a real server, `tidemark run` beside it, and a restored server.
struct ArchiveTests {
    @Test func `a server comes back to a time, a position, a restore point and the end`()
        async throws
    {
        try await offPool {
            let server = try RedisServer.start()
            try server.lines("SET before 1\nSELECT 3\nSET third 3\n")
            let harness = try ArchiveHarness(server)
            let sidecar = try harness.startWithBackup()
            try server.lines("SELECT 3\nSET a 1\nMULTI\nINCR n\nINCR n\nEXEC\n")
            harness.pause()
            let moment = try harness.moment()
            harness.pause()
            let offset = try server.offset()
            try server.lines("SELECT 3\nSET b 2\n")
            try harness.expect(0, ["mark", "release"])
            try server.command("FLUSHALL")
            try server.command("SET", "after", "1")
            try harness.waitArchived()
            try harness.waitProved(moment)

            let timed = try harness.restore(
                to: moment.text(fractionDigits: 6), name: "timed")
            #expect(try harness.ask(timed, "GET", "before") == "1")
            #expect(try harness.ask(timed + "/3", "MGET", "third", "a", "n", "b") == "3\n1\n2\n")
            let placed = try harness.restore(to: "offset:\(offset)", name: "placed")
            #expect(try harness.ask(placed + "/3", "MGET", "a", "b") == "1\n")
            let named = try harness.restore(to: "point:release", name: "named")
            #expect(try harness.ask(named + "/3", "MGET", "a", "b") == "1\n2")
            #expect(try harness.ask(named, "DBSIZE") == "1")
            let latest = try harness.restore(to: "latest", name: "latest")
            #expect(try harness.ask(latest, "KEYS", "*") == "after")
            #expect(try sidecar.terminate().isSuccess)
        }
    }

    @Test func `status, list and verify know a Redis`() async throws {
        try await offPool {
            let server = try RedisServer.start()
            let harness = try ArchiveHarness(server)
            let sidecar = try harness.startWithBackup()
            let moment = try harness.moment()
            try harness.waitProved(moment)
            // Nothing is written, and still the proof goes on.
            let later = try harness.moment()
            try harness.waitProved(later)
            let status = try harness.status()
            #expect(status.state == "streaming" && status.objective == "met")
            #expect(status.timeline == (try server.info("master_replid")))
            // One proof a second; a busy machine may be late once.
            let shown = try (0..<6).map { _ in
                harness.pause(0.3)
                return try #require(try harness.status().exposureSeconds)
            }
            #expect(shown.sorted()[4] < 2.5, "\(shown)")
            #expect(status.sourceWindow?.kind == "backlog")
            #expect(status.recoveryWindows.count == 1 && status.gaps.isEmpty)
            try server.lines("SET a 1\nSET b 2\n")
            try harness.waitArchived()
            let list = try harness.expect(0, ["list"])
            #expect(list.contains(try #require(status.lastBackup).id))
            try harness.expect(0, ["verify", "--deep"])
            try harness.expect(0, ["check"])
            try harness.expect(0, ["backup"])
            #expect(try sidecar.terminate().isSuccess)
            try harness.expect(0, ["verify", "--deep"])
            #expect(try harness.status().state == "stopped")
            // The stored stream is the server's own: standard tools read it.
            let open = try harness.files("sessions/stream").filter { $0.hasSuffix(".partial") }
            let text = try Subprocess.run(
                "lz4", ["-dc", try #require(open.first)], seconds: 20
            ).output
            #expect(text.contains("SET\r\n$1\r\na\r\n"))
            let backup = try harness.files("sessions/base").filter { $0.hasSuffix(".rdb.lz4") }
            let checked = try shell(
                "lz4 -dcq \"$0\" > \"$1\" && redis-check-rdb \"$1\"", try #require(backup.last),
                harness.folder + "/checked.rdb")
            #expect(checked.contains("Checksum OK") && checked.contains("RDB looks OK"))
            #expect(checked.contains("2 keys read"), "\(checked)")
        }
    }

    @Test func `the sidecar goes on where it was killed, again and again`() async throws {
        try await offPool {
            let server = try RedisServer.start(["repl-backlog-size 64mb"])
            let harness = try ArchiveHarness(server)
            try harness.startWithBackup().kill9()
            let load = CounterLoad(server)
            for _ in 0..<8 {
                let sidecar = try harness.start()
                try sidecar.waitForLog("stream opened", seconds: 60)
                harness.pause(1.2)
                sidecar.kill9()
            }
            let sidecar = try harness.start()
            try load.stop()
            try harness.waitArchived()
            let digest = try server.command("DEBUG", "DIGEST")
            #expect(try sidecar.terminate().isSuccess)
            try harness.expect(0, ["verify", "--deep"])
            #expect(try harness.status().gaps.isEmpty)
            let sealed = try harness.files("sessions/stream").filter { $0.hasSuffix(".lz4") }
            #expect(!sealed.isEmpty)
            #expect(try harness.loaded(to: "latest").command("DEBUG", "DIGEST") == digest)
        }
    }
}
