import Model
import Platform
import TestKit
import Testing

/// What happens to a source while `tidemark run` follows it.
struct SidecarBadDayTests {
    @Test func `a restart with AOF is a gap, and both sides of it can be restored`() async throws {
        try await offPool {
            let server = try RedisServer.start(["appendonly yes"])
            let harness = try ArchiveHarness(server)
            let sidecar = try harness.startWithBackup()
            let first = try harness.backup()
            let old = try harness.timeline()
            try server.command("SET", "a", "1")
            try harness.waitArchived()
            harness.pause()
            let before = try harness.moment()
            harness.pause()
            try harness.waitProved(before)
            let offset = try server.offset()
            try server.command("SET", "b", "1")
            try harness.waitArchived()
            server.kill9()
            try server.start()
            try sidecar.waitForLog("gap in the archive")
            try eventually("a new base backup is there", seconds: 90) {
                try harness.status().lastBackup?.id != first
            }
            try server.command("SET", "c", "1")
            try harness.waitArchived()
            harness.pause()
            let after = try harness.moment()
            try harness.waitProved(after)
            let status = try harness.status()
            #expect(status.gaps.count == 1 && status.recoveryWindows.count == 2)
            #expect(
                status.gaps.first?.reason.contains("does not know the archive's history") == true)
            #expect(status.timeline != old)
            // The old history, reached by time and by name; the new one; and what lies between.
            let early = try harness.restore(to: before.text(fractionDigits: 6), name: "early")
            #expect(try harness.ask(early, "MGET", "a", "b", "c") == "1\n\n")
            let named = try harness.restore(to: "offset:\(old):\(offset)", name: "named")
            #expect(try harness.ask(named, "MGET", "a", "b") == "1\n")
            let late = try harness.restore(to: after.text(fractionDigits: 6), name: "late")
            #expect(try harness.ask(late, "MGET", "a", "b", "c") == "1\n1\n1")
            try harness.expect(0, ["verify", "--deep"])
            #expect(try sidecar.terminate().isSuccess)
        }
    }

    @Test func `what a crash threw away is kept as a branch`() async throws {
        try await offPool {
            let server = try RedisServer.start()
            let harness = try ArchiveHarness(server)
            let sidecar = try harness.startWithBackup()
            let old = try harness.timeline()
            try server.command("SET", "kept", "1")
            try server.command("SAVE")
            try server.command("SET", "lost", "1")
            try harness.waitArchived()
            server.kill9()
            try server.start()
            try eventually("the new timeline is followed", seconds: 60) {
                try harness.status().timeline != old && harness.status().state == "streaming"
            }
            try server.command("SET", "new", "1")
            try harness.waitArchived()
            #expect(try harness.status().gaps.isEmpty)
            let list = try harness.expect(0, ["list"])
            #expect(list.contains("restore --timeline \(old)"))
            let current = try harness.restore(to: "latest", name: "current")
            #expect(try harness.ask(current, "MGET", "kept", "lost", "new") == "1\n\n1")
            let branch = try harness.restore(
                to: "latest", name: "branch", ["--timeline", old])
            #expect(try harness.ask(branch, "MGET", "kept", "lost", "new") == "1\n1\n")
            // A base backup of the new timeline is accepted beside those of the old one.
            try harness.expect(0, ["backup"])
            try harness.expect(0, ["verify", "--deep"])
            #expect(try sidecar.terminate().isSuccess)
        }
    }

    @Test func `a promoted replica is followed without a gap`() async throws {
        try await offPool {
            let primary = try RedisServer.start()
            let replica = try RedisServer.start(["replicaof 127.0.0.1 \(primary.port)"])
            try eventually("the replica is in step") {
                try replica.info("master_link_status") == "up"
            }
            let harness = try ArchiveHarness(primary)
            let sidecar = try harness.startWithBackup()
            try primary.lines("SELECT 4\nSET a 1\n")
            try harness.waitArchived()
            try eventually("the replica has it") { try replica.offset() >= primary.offset() }
            #expect(try sidecar.terminate().isSuccess)
            primary.kill9()
            try replica.command("REPLICAOF", "NO", "ONE")
            try harness.write([("sessions", replica.url)])
            let again = try harness.start()
            try replica.lines("SELECT 4\nSET b 1\n")
            let end = try replica.offset()
            try eventually("it is archived", seconds: 60) {
                try harness.status().archivedPosition.flatMap { UInt64($0) } ?? 0 >= end
            }
            #expect(try harness.status().gaps.isEmpty)
            let copy = try harness.restore(to: "latest")
            #expect(try harness.ask(copy + "/4", "MGET", "a", "b") == "1\n1")
            try harness.expect(0, ["verify", "--deep"])
            #expect(try again.terminate().isSuccess)
        }
    }

    @Test func `an outage longer than the backlog is a gap with its reason`() async throws {
        try await offPool {
            let server = try RedisServer.start(["repl-backlog-size 16kb"])
            let harness = try ArchiveHarness(server)
            let (sidecar, lost) = try harness.startBehindGap()
            let status = try harness.status()
            #expect(status.gaps.count == 1)
            #expect(status.gaps.first?.reason.contains("no longer has the byte") == true)
            let refused = try harness.expect(
                3,
                [
                    "restore", "--to", "offset:\(lost + 50_000)", "--into",
                    harness.folder + "/lost",
                ])
            #expect(refused.contains("gap"))
            let copy = try harness.restore(to: "latest")
            #expect(try harness.ask(copy, "DBSIZE") == "100")
            #expect(try sidecar.terminate().isSuccess)
            try harness.expect(0, ["verify", "--deep"])
        }
    }

    @Test func `a refused login is told at once, with the line that mends it`() async throws {
        try await offPool {
            let server = try RedisServer.start(["requirepass secret"])
            let harness = try ArchiveHarness(
                server, url: "redis://:wrong@127.0.0.1:\(server.port)")
            let sidecar = try harness.start()
            let status = try #require(sidecar.process.wait(seconds: 60))
            #expect(status == .exited(5), "\(sidecar.log)")
            #expect(!sidecar.log.contains("wrong@"))
            try harness.write([("sessions", "redis://:secret@127.0.0.1:\(server.port)")])
            try harness.expect(0, ["check"])
            let good = try harness.startWithBackup()
            #expect(try good.terminate().isSuccess)
        }
    }

    @Test func `WAIT means archived`() async throws {
        try await offPool {
            let server = try RedisServer.start()
            let harness = try ArchiveHarness(server)
            let sidecar = try harness.startWithBackup()
            for number in 0..<20 {
                let answers = try server.lines("SET k \(number)\nWAIT 1 5000\n")
                #expect(answers[1] == "1")
            }
            if RedisServer.majorVersion >= 8 {
                // 7.2 and later also ask what is durable there.
                #expect(try server.lines("INCR n\nWAITAOF 0 1 5000\n")[1...2] == ["0", "1"])
            }
            sidecar.kill9()
            let copy = try harness.restore(to: "latest")
            #expect(try harness.ask(copy, "GET", "k") == "19")
            #expect(try server.lines("SET k x\nWAIT 1 300\n")[1] == "0")
        }
    }
}
