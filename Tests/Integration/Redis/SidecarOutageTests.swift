import Model
import Platform
import TestKit
import Testing

/// The archive looked away for a while, and the source did not wait.
@Suite(.timeLimit(.minutes(5)))
struct SidecarOutageTests {
    @Test func `a time within an outage is refused with its two ends, which are exact`()
        async throws
    {
        try await offPool {
            let server = try RedisServer.start()
            let harness = try ArchiveHarness(server)
            let sidecar = try harness.startWithBackup()
            try server.command("SET", "before", "1")
            try harness.waitArchived()
            try harness.waitProved(harness.moment())
            sidecar.kill9()
            harness.pause(1.5)
            try server.command("SET", "during", "1")
            harness.pause(0.2)
            let inside = try harness.moment()
            harness.pause(1.5)
            let again = try harness.start()
            try again.waitForLog("stream opened")
            try harness.waitArchived()
            harness.pause(0.2)
            let after = try harness.moment()
            harness.pause(0.1)
            try server.command("SET", "after", "1")
            try harness.waitArchived()
            try harness.waitProved(after)

            let said = try harness.expect(
                3,
                [
                    "restore", "--to", inside.text(fractionDigits: 6), "--into",
                    "sessions=" + harness.folder + "/refused",
                ])
            let ends = said.split(separator: "--to ").dropFirst().map {
                String($0.prefix { $0 != "," })
            }
            try #require(ends.count == 2, "\(said)")
            for (target, values) in [
                (ends[0], "1\n\n"), (ends[1], "1\n1\n"),
                (after.text(fractionDigits: 6), "1\n1\n"),
            ] {
                let copy = try harness.restore(to: target, name: "copy-\(target.suffix(9))")
                let found = try harness.ask(copy, "MGET", "before", "during", "after")
                #expect(found == values, "\(target)")
            }
            #expect(try again.terminate().isSuccess)
        }
    }

    @Test func `a backlog that was given up in an outage is a gap, and mended`() async throws {
        try await offPool {
            let server = try RedisServer.start(["repl-backlog-ttl 1"])
            let harness = try ArchiveHarness(server)
            #expect(try harness.startWithBackup().terminate().isSuccess)
            let old = try harness.timeline()
            let offset = try server.offset()
            try eventually("the server has given up its backlog") {
                try server.info("repl_backlog_active") == "0"
            }
            try server.command("SET", "meanwhile", "1")
            let sidecar = try harness.start()
            try sidecar.waitForLog("base backup finished", seconds: 90)
            try server.command("SET", "later", "1")
            try harness.waitArchived()
            #expect(try harness.status().gaps.count == 1)
            #expect(try harness.status().timeline != old)
            let copy = try harness.restore(to: "latest")
            #expect(try harness.ask(copy, "MGET", "meanwhile", "later") == "1\n1")
            let early = try harness.restore(to: "offset:\(old):\(offset)", name: "early")
            #expect(try harness.ask(early, "DBSIZE") == "0")
            #expect(try sidecar.terminate().isSuccess)
            try harness.expect(0, ["verify", "--deep"])
        }
    }

    @Test func `writes that a promoted replica never had are kept as a branch`() async throws {
        try await offPool {
            let primary = try RedisServer.start()
            let replica = try RedisServer.start(["replicaof 127.0.0.1 \(primary.port)"])
            try eventually("the replica is in step") {
                try replica.info("master_link_status") == "up"
            }
            let harness = try ArchiveHarness(primary)
            let sidecar = try harness.startWithBackup()
            let old = try harness.timeline()
            try primary.command("SET", "both", "1")
            try eventually("the replica has it") { try replica.offset() >= primary.offset() }
            let process = try #require(replica.pid)
            try shell("kill -STOP \(process)")
            try primary.command("SET", "lost", "1")
            try harness.waitArchived()
            #expect(try sidecar.terminate().isSuccess)
            primary.kill9()
            try shell("kill -CONT \(process)")
            // What lay in its socket would be replayed; a network that was cut would not bring it.
            try replica.command("REPLICAOF", "NO", "ONE")
            let isLost = try replica.command("EXISTS", "lost") == "0"
            try harness.write([("sessions", replica.url)])
            let again = try harness.start()
            try replica.command("SET", "new", "1")
            let end = try replica.offset()
            let id = try replica.info("master_replid")
            try eventually("it is archived", seconds: 60) {
                let status = try harness.status()
                return status.timeline == id
                    && status.archivedPosition.flatMap { UInt64($0) } ?? 0 >= end
            }
            #expect(try harness.status().gaps.isEmpty)
            let copy = try harness.restore(to: "latest")
            let values = try harness.ask(copy, "MGET", "both", "lost", "new")
            #expect(values == (isLost ? "1\n\n1" : "1\n1\n1"))
            let branch = try harness.restore(to: "latest", name: "branch", ["--timeline", old])
            #expect(try harness.ask(branch, "MGET", "both", "lost", "new") == "1\n1\n")
            #expect(try again.terminate().isSuccess)
            try harness.expect(0, ["verify", "--deep"])
        }
    }

    @Test func `a base backup that was due in an outage is taken at the next start`() async throws {
        try await offPool {
            let server = try RedisServer.start()
            let harness = try ArchiveHarness(
                server, lines: ["backup: { schedule: \"* * * * *\" }"])
            #expect(try harness.startWithBackup().terminate().isSuccess)
            let known = try harness.backup()
            let clock = SystemTimeSource()
            let minute = clock.wall().microseconds / 60_000_000
            try eventually("the minute is over", seconds: 70) {
                clock.wall().microseconds / 60_000_000 > minute
            }
            let sidecar = try harness.start()
            // Well before the next one is due.
            try eventually("the missed one is there", seconds: 40) {
                try harness.status().lastBackup?.id != known
            }
            #expect(clock.wall().microseconds / 60_000_000 == minute + 1)
            #expect(try sidecar.terminate().isSuccess)
        }
    }

    @Test func `a gzip archive is read by gzip, and comes back`() async throws {
        try await offPool {
            let server = try RedisServer.start()
            let harness = try ArchiveHarness(server, compression: "gzip")
            try harness.startWithBackup().kill9()
            let sidecar = try harness.start()
            // Its backlog holds 1 MB.
            try sidecar.waitForLog("stream opened")
            let value = String(repeating: "v", count: 4000)
            try server.pipe((0..<6000).flatMap { resp(["SET", "k\($0)", "\($0)" + value]) })
            try harness.waitArchived()
            let digest = try server.command("DEBUG", "DIGEST")
            #expect(try sidecar.terminate().isSuccess)
            try harness.expect(0, ["verify", "--deep"])
            let sealed = try harness.files("sessions/stream").filter { $0.hasSuffix(".gz") }
            try #require(!sealed.isEmpty)
            let count = try shell("gzip -dc \"$0\" | grep -c -a '^SET'", sealed[0])
            #expect(Int(count.trimming()) ?? 0 > 1000)
            #expect(try harness.files("sessions/base").contains { $0.hasSuffix(".gz") })
            #expect(try harness.loaded(to: "latest").command("DEBUG", "DIGEST") == digest)
        }
    }
}

extension String {
    fileprivate func trimming() -> String { String(prefix { !$0.isNewline }) }
}
