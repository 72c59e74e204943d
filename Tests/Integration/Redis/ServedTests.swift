import Model
import Platform
import TestKit
import Testing

/// Live servers that are filled by being served the archive as a primary's stream.
struct ServedTests {
    @Test func `a live empty server becomes what the source was`() async throws {
        try await offPool {
            let server = try RedisServer.start(["repl-backlog-size 64mb"])
            let harness = try ArchiveHarness(server)
            try load(server)
            let sidecar = try harness.startWithBackup()
            try load(server)
            let digest = try server.command("DEBUG", "DIGEST")
            let offset = try server.offset()
            try server.command("FLUSHALL")
            try harness.waitArchived()
            let target = try RedisServer.start(["requirepass pw"])
            let url = "redis://default:pw@127.0.0.1:\(target.port)"
            let into = ["--into", "sessions=" + url]
            // It runs already, so there is nothing to start.
            let said = try harness.expect(
                0, ["restore", "--to", "offset:\(offset)", "--start"] + into)
            #expect(!said.contains("pw@"))
            #expect(try harness.ask(url, "DEBUG", "DIGEST") == digest)
            #expect(try harness.ask(url, "ROLE").hasPrefix("master"))
            try harness.ask(url, "SET", "mine", "1")
            let refused = try harness.expect(2, ["restore", "--to", "latest"] + into)
            #expect(refused.contains("holds keys"))
            let persisted = try RedisServer.start()
            try harness.expect(
                0,
                [
                    "restore", "--to", "offset:\(offset)", "--expiry", "persist", "--into",
                    "sessions=" + persisted.url,
                ])
            #expect(try harness.ask(persisted.url + "/3", "TTL", "timed") == "-1")
            #expect(try sidecar.terminate().isSuccess)
        }
    }

    @Test func `a server that would lose data is refused`() async throws {
        try await offPool {
            let server = try RedisServer.start(["databases 32"])
            let harness = try ArchiveHarness(server)
            try harness.startWithBackup().terminate()
            let few = try RedisServer.start(["databases 16"])
            let small = try RedisServer.start([
                "databases 32", "maxmemory 50mb", "maxmemory-policy allkeys-lru",
            ])
            for (target, words) in [(few, "databases 32"), (small, "maxmemory")] {
                let said = try harness.expect(
                    2, ["restore", "--to", "latest", "--into", "sessions=" + target.url])
                #expect(said.contains(words))
                #expect(try target.info("role") == "master")
            }
        }
    }

    @Test func `a server that is no plain primary is refused, and left as it is`() async throws {
        try await offPool {
            let server = try RedisServer.start()
            let harness = try ArchiveHarness(server)
            try harness.startWithBackup().terminate()
            let node = try RedisServer.start([
                "cluster-enabled yes", "cluster-port \(try freePort())",
            ])
            let replica = try RedisServer.start(["replicaof 127.0.0.1 \(server.port)"])
            let sentinel = try FailoverTests.Sentinel(server, harness.folder)
            try eventually("the Sentinel answers") {
                try sentinel.ask("MASTERS").contains("main")
            }
            let weak = try RedisServer.start()
            try weak.lines("ACL SETUSER weak on >pw ~* &* +@all -info\n")
            for (url, words) in [
                (node.url, "cluster's node"), (replica.url, "is a replica"),
                ("redis://127.0.0.1:\(sentinel.port)", "Sentinel"),
                ("redis://weak:pw@127.0.0.1:\(weak.port)", "may not use INFO"),
            ] {
                let said = try harness.expect(
                    2, ["restore", "--to", "latest", "--force", "--into", "sessions=" + url])
                #expect(said.contains(words), "\(said)")
            }
            #expect(try replica.info("master_port") == "\(server.port)")
            for target in [node, weak] { #expect(try target.info("role") == "master") }
        }
    }

    @Test func `one that may not be told to follow anybody is left as it is, and that is said`()
        async throws
    {
        try await offPool {
            let server = try RedisServer.start()
            let harness = try ArchiveHarness(server)
            try harness.startWithBackup().terminate()
            let target = try RedisServer.start()
            try target.lines("ACL SETUSER weak on >pw ~* &* +@all -replicaof\n")
            let url = "redis://weak:pw@127.0.0.1:\(target.port)"
            let done = try harness.tidemark(
                ["restore", "--to", "latest", "--into", "sessions=" + url], seconds: 60)
            let said = done.output + done.errors
            #expect(!done.status.isSuccess)
            #expect(said.contains("may not use REPLICAOF"), "\(said)")
            #expect(said.contains("+replicaof"), "\(said)")
            #expect(!said.contains("is left a replica"), "\(said)")
            #expect(!said.contains("REPLICAOF NO ONE"), "\(said)")
            #expect(try target.info("role") == "master")
        }
    }

    /// Nothing in it expires during the test.
    private func load(_ server: RedisServer) throws {
        try server.lines(
            """
            SELECT 3
            SET timed v EX 10000
            MULTI
            INCR n
            RPUSH l a b c
            EXEC
            ZADD z 1.5 a 2 b
            XADD x 1-* f v
            SELECT 0
            HSET h f v
            SADD s 1 2 3
            """ + "\n")
    }
}
