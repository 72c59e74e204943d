import Model
import Platform
import TestKit
import Testing

/// Live servers that take long to fill or hold something before: while a server flushes and loads
/// it takes nothing and answers with newlines alone.
@Suite(.timeLimit(.minutes(3)))
struct FilledServerTests {
    /// Some of what is told apart by the stream alone, in database 3.
    private static let later = """
        SELECT 3
        SET timed v EX 100000
        MULTI
        INCR n
        RPUSH l a b c
        EXEC
        ZADD z 1.5 a 2 b
        """ + "\n"

    private func fill(
        _ harness: ArchiveHarness, _ target: String, _ words: [String] = []
    ) throws {
        try harness.expect(
            0, ["restore", "--to", "latest", "--into", "sessions=" + target] + words)
    }

    @Test func `an RDB of forty megabytes is served, as it is and with its expiries moved`()
        async throws
    {
        try await offPool {
            // Not compressed, so that it is as long as what it holds.
            let server = try RedisServer.start(["rdbcompression no"])
            try server.command("DEBUG", "POPULATE", "200000", "key", "200")
            try server.lines("SET timed v EX 100000\nSELECT 3\nSET before v EX 100000\n")
            let harness = try ArchiveHarness(server)
            let sidecar = try harness.startWithBackup()
            try server.lines(Self.later)
            let digest = try server.command("DEBUG", "DIGEST")
            try harness.waitArchived()
            #expect(try sidecar.terminate().isSuccess)
            for expiry in ["keep", "shift"] {
                let target = try RedisServer.start()
                try fill(harness, target.url, ["--expiry", expiry])
                #expect(try target.command("DEBUG", "DIGEST") == digest, "\(expiry)")
                #expect(try target.info("role") == "master")
                target.kill9()
            }
        }
    }

    @Test func `a server full of keys is emptied and becomes what the source was`() async throws {
        try await offPool {
            let server = try RedisServer.start()
            let harness = try ArchiveHarness(server)
            let sidecar = try harness.startWithBackup()
            try server.lines(Self.later)
            let digest = try server.command("DEBUG", "DIGEST")
            try harness.waitArchived()
            #expect(try sidecar.terminate().isSuccess)
            let target = try RedisServer.start()
            try target.command("SET", "mine", "1")
            try fill(harness, target.url, ["--force"])
            #expect(try target.command("DEBUG", "DIGEST") == digest)
            try target.command("DEBUG", "POPULATE", "400000")
            try fill(harness, target.url, ["--force"])
            #expect(try target.command("DEBUG", "DIGEST") == digest)
            #expect(try target.info("role") == "master")
        }
    }

    @Test func `transactions survive the next start of a server whose user default is off`()
        async throws
    {
        try await offPool {
            let server = try RedisServer.start()
            try server.command("DEBUG", "POPULATE", "20000")
            let harness = try ArchiveHarness(server)
            let sidecar = try harness.startWithBackup()
            try server.lines("MULTI\nSET foo 1\nSET bar 1\nEXEC\nSET baz 1\n")
            try harness.waitArchived()
            #expect(try sidecar.terminate().isSuccess)
            let users = harness.folder + "/users.acl"
            let lines = "user default off\nuser admin on >pw ~* &* +@all\n"
            try shell("printf '%s' \"$1\" > \"$0\" && chmod 0644 \"$0\"", users, lines)
            // It takes a second or more to write its own file anew.
            let target = try RedisServer.start([
                "appendonly yes", "aclfile \(users)", "rdb-key-save-delay 10",
            ])
            let url = "redis://admin:pw@127.0.0.1:\(target.port)"
            let said = try harness.expect(
                0, ["restore", "--to", "latest", "--into", "sessions=" + url])
            #expect(said.contains("user default is off and appendonly is on"), "\(said)")
            target.kill9()
            try target.start()
            #expect(try harness.ask(url, "DBSIZE") == "20003")
            #expect(try harness.ask(url, "MGET", "foo", "bar", "baz") == "1\n1\n1")
        }
    }

    @Test func `a server that cannot write its own file anew ends the restore, with what to do`()
        async throws
    {
        try await offPool {
            let server = try RedisServer.start()
            try server.command("SET", "k", "1")
            let harness = try ArchiveHarness(server)
            try harness.startWithBackup().terminate()
            let target = try RedisServer.start(["appendonly yes"])
            // A directory stands where the new base file is to go.
            let obstacle = target.directory + "/appendonlydir/appendonly.aof.2.base.rdb/in"
            try shell("mkdir -p \"$0\" && chmod -R a+rwX \"$(dirname \"$0\")\"", obstacle)
            let done = try harness.tidemark(
                ["restore", "--to", "latest", "--into", "sessions=" + target.url], seconds: 90)
            let said = done.output + done.errors
            #expect(!done.status.isSuccess)
            #expect(said.contains("could not write its append-only file"), "\(said)")
            #expect(said.contains("do not restart it"), "\(said)")
            #expect(!said.contains("is left a replica"), "\(said)")
            #expect(try target.info("role") == "master")
            #expect(try target.command("GET", "k") == "1")
            try shell("rm -r \"$(dirname \"$0\")\"", obstacle)
        }
    }

    /// It holds an earlier state under positions that the archive has other bytes for.
    @Test func `a server that was filled and is followed then begins a history of its own`()
        async throws
    {
        try await offPool {
            let server = try RedisServer.start()
            let harness = try ArchiveHarness(server)
            let sidecar = try harness.startWithBackup()
            let history = try harness.timeline()
            try server.lines("MULTI\nSET a 1\nINCR n\nEXEC\n")
            let known = try server.offset()
            try server.lines((0..<50).map { "SET after:\($0) \($0)\n" }.joined())
            try harness.waitArchived()
            #expect(try sidecar.terminate().isSuccess)
            let target = try RedisServer.start()
            try harness.expect(
                0,
                [
                    "restore", "--to", "offset:\(known)", "--into", "sessions=" + target.url,
                ])
            #expect(try target.info("master_replid2") != history)
            try harness.write([("sessions", target.url)])
            let next = try harness.startWithBackup()
            try target.command("SET", "b", "2")
            let digest = try target.command("DEBUG", "DIGEST")
            try eventually("the new history is archived") {
                try harness.status().timeline.map { $0 != history } ?? false
            }
            try eventually("its end is archived") {
                try (harness.status().archivedPosition.flatMap { UInt64($0) } ?? 0)
                    >= target.offset()
            }
            #expect(try next.terminate().isSuccess)
            let copy = try harness.loaded(to: "latest")
            #expect(try copy.command("DEBUG", "DIGEST") == digest)
            #expect(try copy.command("EXISTS", "after:1") == "0")
        }
    }
}
