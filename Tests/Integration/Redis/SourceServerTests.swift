import Model
import Platform
import TestKit
import Testing

/// Restores into the very server that is archived, and into what stands in its place.
@Suite(.timeLimit(.minutes(3)))
struct SourceServerTests {
    private static let refusals = [[], ["--force"], ["--force", "--dry-run"]]

    private func refused(_ harness: ArchiveHarness, _ url: String) throws {
        for more in Self.refusals {
            let said = try harness.expect(
                2, ["restore", "--to", "latest", "--into", "sessions=" + url] + more)
            #expect(said.contains("is the one that sessions is archived from"), "\(said)")
            #expect(said.contains("empty server beside it"), "\(said)")
        }
    }

    /// An archive of the server, which holds `a`; the sidecar has ended.
    private func archived(_ server: RedisServer) throws -> ArchiveHarness {
        try server.command("SET", "a", "1")
        let harness = try ArchiveHarness(server)
        let sidecar = try harness.startWithBackup()
        try harness.waitArchived()
        #expect(try sidecar.terminate().isSuccess)
        return harness
    }

    @Test func `the source is refused, while it is archived and when it was started again`()
        async throws
    {
        try await offPool {
            // Started again it goes on with its history under another id, as its RDB says.
            let server = try RedisServer.start()
            try server.command("SET", "a", "1")
            let harness = try ArchiveHarness(server)
            let sidecar = try harness.startWithBackup()
            try harness.waitArchived()
            let history = try server.info("master_replid")
            let names = [server.url, "redis://localhost:\(server.port)"]
            for url in names { try refused(harness, url) }
            #expect(try sidecar.terminate().isSuccess)
            for url in names { try refused(harness, url) }
            try server.command("SAVE")
            try server.command("SET", "a", "2")
            try server.command("SAVE")
            server.kill9()
            try server.start()
            #expect(try server.info("master_replid") != history)
            #expect(try server.info("master_replid2") == history)
            for url in names { try refused(harness, url) }
            #expect(try server.command("GET", "a") == "2")
            #expect(try server.info("role") == "master")
        }
    }

    @Test func `the source that was started again from its AOF is refused`() async throws {
        try await offPool {
            let server = try RedisServer.start(["appendonly yes"])
            let harness = try archived(server)
            try server.command("SET", "a", "2")
            server.kill9()
            try server.start()
            #expect(try server.command("GET", "a") == "2")
            try refused(harness, server.url)
            #expect(try server.command("GET", "a") == "2")
        }
    }

    @Test func `one that was started anew with nothing is filled, and again when it is emptied`()
        async throws
    {
        try await offPool {
            let server = try RedisServer.start()
            let harness = try archived(server)
            server.kill9()
            // What it had written for the archive.
            try shell("rm -f \"$0/dump.rdb\"", server.directory)
            try server.start()
            #expect(try server.command("DBSIZE") == "0")
            let into = ["restore", "--to", "latest", "--into", "sessions=" + server.url]
            try harness.expect(0, into)
            #expect(try server.command("GET", "a") == "1")
            // With keys it might be the source, started again from its AOF.
            try server.command("SET", "a", "of a client")
            let kept = try harness.expect(2, into + ["--force"])
            #expect(kept.contains("holds keys") && kept.contains("FLUSHALL"), "\(kept)")
            #expect(try server.command("GET", "a") == "of a client")
            try server.command("FLUSHALL")
            try harness.expect(0, into)
            #expect(try server.command("GET", "a") == "1")
            // Once the archive follows it, it is the source.
            let next = try harness.startWithBackup()
            try eventually("its history is archived") {
                try harness.status().timeline == server.info("master_replid")
            }
            try refused(harness, server.url)
            #expect(try next.terminate().isSuccess)
        }
    }

    @Test func `a replica that was made a primary is filled`() async throws {
        try await offPool {
            let server = try RedisServer.start()
            try server.command("SET", "a", "1")
            let harness = try ArchiveHarness(server)
            let sidecar = try harness.startWithBackup()
            let replica = try RedisServer.start(["replicaof 127.0.0.1 \(server.port)"])
            try eventually("it has what its primary has") {
                try replica.command("GET", "a") == "1"
            }
            try harness.waitArchived()
            #expect(try sidecar.terminate().isSuccess)
            try replica.command("REPLICAOF", "NO", "ONE")
            #expect(
                try replica.info("master_replid2") == server.info("master_replid"))
            try replica.command("SET", "b", "1")
            try harness.expect(
                0,
                ["restore", "--to", "latest", "--force", "--into", "sessions=" + replica.url])
            #expect(try replica.command("KEYS", "*") == "a")
        }
    }

    @Test func `a URL of another database is told what a Redis takes`() async throws {
        try await offPool {
            let server = try RedisServer.start()
            let harness = try ArchiveHarness(server)
            #expect(try harness.startWithBackup().terminate().isSuccess)
            let before = try Directory.names(in: harness.folder)
            for url in [
                "mongodb://127.0.0.1:\(server.port)/", "postgres://127.0.0.1:\(server.port)/a",
                "file://\(harness.folder)/copy", "http://127.0.0.1/",
            ] {
                for more in [[], ["--force", "--dry-run"]] {
                    let said = try harness.expect(
                        2, ["restore", "--to", "latest", "--into", "sessions=" + url] + more)
                    #expect(said.contains("redis://HOST:PORT"), "\(said)")
                }
            }
            #expect(try Directory.names(in: harness.folder) == before)
        }
    }
}
