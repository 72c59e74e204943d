import Model
import Platform
import TestKit
import Testing

/// The link to the source fails, or the source turns into something else, under a running sidecar.
@Suite(.timeLimit(.minutes(5)))
struct SidecarLinkTests {
    /// Everything written so far is archived without a gap, and a copy equals the source.
    private func expectWhole(_ harness: ArchiveHarness, _ sidecar: TidemarkProcess) throws {
        try harness.waitArchived()
        #expect(sidecar.isRunning)
        #expect(try harness.status().gaps.isEmpty)
        let digest = try harness.server.command("DEBUG", "DIGEST")
        #expect(try sidecar.terminate().isSuccess)
        try harness.expect(0, ["verify", "--deep"])
        #expect(try harness.loaded(to: "latest").command("DEBUG", "DIGEST") == digest)
    }

    @Test func `rights that are taken away are asked for by name, and used once they are back`()
        async throws
    {
        try await offPool {
            let server = try RedisServer.start()
            try server.lines("ACL SETUSER arch on >pw +psync +replconf +ping +info +time\n")
            let harness = try ArchiveHarness(
                server, url: "redis://arch:pw@127.0.0.1:\(server.port)")
            let sidecar = try harness.startWithBackup()
            try server.command("SET", "a", "1")
            try harness.waitArchived()
            try server.lines("ACL SETUSER arch -replconf -psync\nSET b 1\n")
            try sidecar.waitForLog("ACL SETUSER arch +psync +replconf +ping")
            try eventually("the exposure grows", seconds: 60) {
                try (harness.status().exposureSeconds ?? 0) > 2
            }
            let check = try harness.expect(5, ["check"])
            #expect(check.contains("ACL SETUSER arch"), "\(check)")
            #expect(!sidecar.log.contains("pw@"))
            try server.lines("ACL SETUSER arch +replconf +psync\nSET c 1\n")
            try expectWhole(harness, sidecar)
        }
    }

    @Test func `killed connections and a clean restart from an RDB cost nothing`() async throws {
        try await offPool {
            let server = try RedisServer.start(["repl-backlog-size 64mb"])
            let harness = try ArchiveHarness(server)
            let sidecar = try harness.startWithBackup()
            let old = try harness.timeline()
            let load = CounterLoad(server, valueBytes: 200)
            for _ in 0..<6 {
                harness.pause(0.4)
                try server.command("CLIENT", "KILL", "TYPE", "replica")
            }
            try load.stop()
            try harness.waitArchived()
            try server.stop(saving: true)
            try sidecar.waitForLog("cannot connect to Redis")
            try server.start()
            try server.lines("SELECT 2\nSET after 1\n")
            try eventually("the child timeline is followed", seconds: 60) {
                try harness.status().timeline != old
            }
            try expectWhole(harness, sidecar)
        }
    }

    @Test func `a sidecar that stood still longer than repl-timeout goes on`() async throws {
        try await offPool {
            let server = try RedisServer.start(["repl-backlog-size 64mb", "repl-timeout 2"])
            let harness = try ArchiveHarness(server)
            let sidecar = try harness.startWithBackup()
            sidecar.process.signal(19)
            try server.command("SET", "meanwhile", "1")
            try eventually("the server gives the archiver up", seconds: 60) {
                try server.info("connected_slaves") == "0"
            }
            sidecar.process.signal(18)
            try server.command("SET", "after", "1")
            try expectWhole(harness, sidecar)
        }
    }

    @Test func `an output buffer that overflowed is a gap that names its remedy, and is mended`()
        async throws
    {
        try await offPool {
            let server = try RedisServer.start([
                "client-output-buffer-limit replica 1mb 1mb 1", "repl-backlog-size 100kb",
            ])
            let harness = try ArchiveHarness(server)
            let sidecar = try harness.startWithBackup()
            let first = try harness.backup()
            sidecar.process.signal(19)
            let value = String(repeating: "v", count: 100_000)
            try server.pipe((0..<300).flatMap { resp(["SET", "k\($0)", value]) })
            sidecar.process.signal(18)
            try sidecar.waitForLog("gap in the archive")
            #expect(sidecar.log.contains("repl-backlog-size"))
            try eventually("a new base backup is there", seconds: 90) {
                try harness.status().lastBackup?.id != first
            }
            try server.command("SET", "after", "1")
            try harness.waitArchived()
            #expect(try harness.status().gaps.count == 1)
            let digest = try server.command("DEBUG", "DIGEST")
            #expect(try sidecar.terminate().isSuccess)
            #expect(try harness.loaded(to: "latest").command("DEBUG", "DIGEST") == digest)
            try harness.expect(0, ["verify", "--deep"])
        }
    }

    @Test func `a source that was made a replica of another is another history`() async throws {
        try await offPool {
            let other = try RedisServer.start()
            try other.command("SET", "theirs", "1")
            let server = try RedisServer.start()
            let harness = try ArchiveHarness(server)
            let sidecar = try harness.startWithBackup()
            let old = try harness.timeline()
            let first = try harness.backup()
            try server.command("SET", "ours", "1")
            try harness.waitArchived()
            let offset = try server.offset()
            try server.command("REPLICAOF", "127.0.0.1", "\(other.port)")
            try eventually("it has become the other's replica") {
                try server.info("master_link_status") == "up"
            }
            try eventually("a new base backup is there", seconds: 90) {
                try harness.status().lastBackup?.id != first
            }
            try other.command("SET", "later", "1")
            try eventually("the other's history is archived", seconds: 60) {
                let status = try harness.status()
                return try status.timeline == other.info("master_replid")
                    && status.archivedPosition.flatMap { UInt64($0) } ?? 0 >= other.offset()
            }
            #expect(try harness.status().gaps.count == 1)
            let before = try harness.restore(to: "offset:\(old):\(offset)", name: "before")
            #expect(try harness.ask(before, "MGET", "ours", "theirs") == "1\n")
            let after = try harness.restore(to: "latest", name: "after")
            #expect(try harness.ask(after, "MGET", "ours", "theirs", "later") == "\n1\n1")
            #expect(try sidecar.terminate().isSuccess)
            try harness.expect(0, ["verify", "--deep"])
        }
    }

    @Test func `a Sentinel is refused by name, a cluster's node is archived with a warning`()
        async throws
    {
        try await offPool {
            // The bus's own port, 10000 above by default, may be taken.
            let server = try RedisServer.start([
                "cluster-enabled yes", "cluster-require-full-coverage no",
                "cluster-port \(try freePort())",
            ])
            try server.command("CLUSTER", "ADDSLOTSRANGE", "0", "16383")
            try eventually("the cluster is up") {
                try server.command("CLUSTER", "INFO").contains("cluster_state:ok")
            }
            let harness = try ArchiveHarness(server)
            let sidecar = try harness.startWithBackup()
            #expect(try harness.expect(0, ["check"]).contains("one node of a cluster"))
            try server.command("SET", "a", "1")
            try expectWhole(harness, sidecar)

            let port = try freePort()
            let folder = harness.folder + "/sentinel"
            try shell("mkdir \"$0\" && echo port $1 > \"$0/s.conf\"", folder, "\(port)")
            let sentinel = try Subprocess(
                "redis-server", [folder + "/s.conf", "--sentinel"],
                SubprocessOptions(directory: folder, signalOnParentDeath: .kill))
            defer {
                sentinel.signal(9)
                sentinel.wait(seconds: 10)
            }
            let url = "redis://127.0.0.1:\(port)"
            try eventually("the Sentinel answers") {
                try Subprocess.run("redis-cli", ["-u", url, "PING"], seconds: 10)
                    .output.hasPrefix("PONG")
            }
            try harness.write([("watched", url)])
            #expect(try harness.expect(5, ["check"]).contains("is a Sentinel"))
            #expect(try harness.expect(5, ["run"]).contains("is a Sentinel"))
        }
    }

    @Test(arguments: ["yes", "no"])
    func `base backups and full resyncs work with diskless sync and without`(diskless: String)
        async throws
    {
        try await offPool {
            let server = try RedisServer.start([
                "repl-diskless-sync \(diskless)", "repl-diskless-sync-delay 3",
            ])
            try server.command("DEBUG", "POPULATE", "20000", "key", "200")
            let harness = try ArchiveHarness(server)
            let sidecar = try harness.startWithBackup()
            try server.command("SET", "a", "1")
            try harness.expect(0, ["backup"])
            try expectWhole(harness, sidecar)
        }
    }
}
