import Model
import Platform
import TestKit
import Testing

/// Servers and folders with which nothing good would come out: told by name, with the way out.
@Suite(.timeLimit(.minutes(3)))
struct RefusalTests {
    @Test(arguments: ["PSYNC", "REPLCONF"])
    func `a command that was renamed is named by check and by run`(command: String) async throws {
        try await offPool {
            let server = try RedisServer.start(["rename-command \(command) \"\""])
            let harness = try ArchiveHarness(server)
            let check = try harness.expect(5, ["check"])
            #expect(check.contains("does not know \(command)"), "\(check)")
            #expect(check.contains("rename-command"))
            guard command == "PSYNC" else { return }
            let run = try harness.expect(5, ["run"])
            #expect(run.contains("does not know PSYNC") && run.contains("rename-command"), "\(run)")
        }
    }

    @Test func `a live server that does not take all commands is no copy, and is told so`()
        async throws
    {
        try await offPool {
            let server = try RedisServer.start()
            let harness = try ArchiveHarness(server)
            let sidecar = try harness.startWithBackup()
            try server.command("SET", "a", "1")
            let known = try server.offset()
            try server.lines("RPUSH l 1 2 3\nINCR n\n")
            try harness.waitArchived()
            #expect(try sidecar.terminate().isSuccess)
            let target = try RedisServer.start(["rename-command RPUSH \"\""])
            let said = try harness.expect(
                1, ["restore", "--to", "latest", "--into", "sessions=" + target.url])
            #expect(said.contains("refused 1 commands of the archive's stream"), "\(said)")
            #expect(said.contains("rename-command"))
            let left = "is left a replica whose primary is gone, with database 0: keys="
            #expect(said.contains(left), "\(said)")
            #expect(try target.info("role") == "slave")
            // The advice is good.
            #expect(said.contains("REPLICAOF NO ONE") && said.contains("--force"), "\(said)")
            try target.command("REPLICAOF", "NO", "ONE")
            try harness.expect(
                0,
                [
                    "restore", "--to", "offset:\(known)", "--force", "--into",
                    "sessions=" + target.url,
                ])
            #expect(try target.command("KEYS", "*") == "a")
            // Loading files it stops by itself.
            let place = harness.folder + "/copy"
            try harness.expect(0, ["restore", "--to", "latest", "--into", "sessions=" + place])
            let loading = try RedisServer([
                "dir \(place)", "appendonly yes", "rename-command RPUSH \"\"",
            ])
            #expect(throws: TidemarkError.self) { try loading.start(seconds: 20) }
            #expect(loading.log.contains("Unknown command 'RPUSH'"))
        }
    }

    @Test func `a folder that belongs to somebody else is refused before anything is written`()
        async throws
    {
        try await offPool {
            let server = try RedisServer.start()
            let harness = try ArchiveHarness(server)
            #expect(try harness.startWithBackup().terminate().isSuccess)
            let closed = harness.folder + "/closed"
            try shell("mkdir \"$0\" && chmod 0555 \"$0\"", closed)
            let said = try harness.expect(
                2, ["restore", "--to", "latest", "--into", "sessions=" + closed + "/copy"])
            #expect(said.contains(closed) && said.contains("ermission"), "\(said)")
            #expect(try shell("ls -A \"$0\"", closed).isEmpty)
        }
    }

    @Test func `a copy holds its transactions also where user default is off`() async throws {
        try await offPool {
            let server = try RedisServer.start()
            let harness = try ArchiveHarness(server)
            let sidecar = try harness.startWithBackup()
            try server.lines("MULTI\nSET foo 1\nSET bar 1\nEXEC\nSET baz 1\n")
            try harness.waitArchived()
            #expect(try sidecar.terminate().isSuccess)
            let place = harness.folder + "/copy"
            try harness.expect(0, ["restore", "--to", "latest", "--into", "sessions=" + place])
            let users = harness.folder + "/users.acl"
            let lines = "user default off\nuser admin on >pw ~* &* +@all\n"
            try shell("printf '%s' \"$1\" > \"$0\" && chmod 0644 \"$0\"", users, lines)
            let loaded = try RedisServer.start([
                "dir \(place)", "appendonly yes", "aclfile \(users)",
            ])
            let url = "redis://admin:pw@127.0.0.1:\(loaded.port)"
            #expect(try harness.ask(url, "MGET", "foo", "bar", "baz") == "1\n1\n1")
        }
    }

    @Test func `a server older than the source is refused by name`() async throws {
        try await offPool {
            let server = try RedisServer.start()
            let harness = try ArchiveHarness(server)
            #expect(try harness.startWithBackup().terminate().isSuccess)
            let old = try RedisServer.start(version: "6.2")
            let words = ["restore", "--to", "latest", "--into"]
            let live = try harness.expect(2, words + ["sessions=" + old.url])
            #expect(live.contains("is version 6.2") && live.contains("RDB it cannot read"))
            #expect(try old.info("role") == "master")
            let copy = harness.folder + "/copy"
            let started = try harness.expect(
                1, words + [copy, "--start", "--pg-bin", OtherServers.redis("6.2")])
            #expect(started.contains("is version 6.2") && started.contains("RDB it cannot read"))
            #expect(try shell("ls -A \"$0\" 2>/dev/null || :", copy + "/sessions").isEmpty)
        }
    }
}
