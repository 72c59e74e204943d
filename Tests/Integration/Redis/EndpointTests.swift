import Model
import Platform
import TestKit
import Testing

/// The ways to a server beside plain TCP, through the whole program: as source, and as the server
/// that is filled.
@Suite(.timeLimit(.minutes(3)))
struct EndpointTests {
    /// Archives `server` by the harness's own URL, and fills `target` by `url`.
    private func carry(
        _ harness: ArchiveHarness, _ server: RedisServer, to target: RedisServer, _ url: String
    ) throws {
        let sidecar = try harness.startWithBackup()
        try server.lines("SELECT 3\nSET a 1\nMULTI\nINCR n\nRPUSH l a b\nEXEC\nSET t v EX 9999\n")
        let digest = try server.command("DEBUG", "DIGEST")
        try harness.waitArchived()
        #expect(try sidecar.terminate().isSuccess)
        try harness.expect(0, ["restore", "--to", "latest", "--into", "sessions=" + url])
        #expect(try target.command("DEBUG", "DIGEST") == digest)
        #expect(try target.info("role") == "master")
        try harness.expect(
            0, ["restore", "--to", "latest", "--into", "sessions=" + harness.folder + "/copy"])
    }

    @Test func `where both sides want a certificate a server is archived, and another filled`()
        async throws
    {
        try await offPool {
            let scratch = try ScratchDirectory()
            let files = try TLSFiles(in: scratch.path)
            let (port, other) = (try freePort(), try freePort())
            let server = try RedisServer.start(files.settings(port: port))
            let target = try RedisServer.start(files.settings(port: other))
            let harness = try ArchiveHarness(server, url: files.url(port: port))
            try carry(harness, server, to: target, files.url(port: other))
            // Without our certificate; the words are for people.
            try harness.write([("sessions", files.url(port: port, client: false))])
            let said = try harness.expect(5, ["check"])
            #expect(said.contains("certificate required"), "\(said)")
            #expect(said.contains("?cert=…&key=…"))
            #expect(!said.contains(".build") && !said.contains(".cc"), "\(said)")
        }
    }

    @Test func `a unix socket serves as source and as target`() async throws {
        try await offPool {
            let server = try RedisServer.start(["unixsocketperm 777"])
            let target = try RedisServer.start(["unixsocketperm 777"])
            let harness = try ArchiveHarness(server, url: "redis+unix://" + server.socketPath)
            try carry(harness, server, to: target, "redis+unix://" + target.socketPath)
        }
    }

    @Test func `a replica at another database is archived under that database`() async throws {
        try await offPool {
            let primary = try RedisServer.start()
            let replica = try RedisServer.start(["replicaof 127.0.0.1 \(primary.port)"])
            try eventually("the replica follows") {
                try replica.info("master_link_status") == "up"
            }
            try primary.lines("SELECT 9\nSET first 1\n")
            func arrived(_ key: String) throws {
                try eventually("\(key) has reached the replica") {
                    try replica.lines("SELECT 9\nEXISTS \(key)\n").contains("1")
                }
            }
            try arrived("first")
            let harness = try ArchiveHarness(replica)
            let first = try harness.startWithBackup()
            try primary.lines("SELECT 9\nSET second 2\n")
            try arrived("second")
            try harness.waitArchived()
            #expect(try first.terminate().isSuccess)
            // Nobody says SELECT again, neither while nobody listens nor later.
            try primary.lines("SELECT 9\nSET third 3\n")
            try arrived("third")
            let next = try harness.start()
            try next.waitForLog("stream opened")
            try primary.lines("SELECT 9\nSET fourth 4\n")
            try arrived("fourth")
            try harness.waitArchived()
            #expect(try next.terminate().isSuccess)
            #expect(try harness.status().gaps.isEmpty)
            let digest = try replica.command("DEBUG", "DIGEST")
            let copy = try harness.loaded(to: "latest")
            #expect(try copy.command("DEBUG", "DIGEST") == digest)
            #expect(try copy.info("db9").hasPrefix("keys=4"))
            let target = try RedisServer.start()
            try harness.expect(
                0, ["restore", "--to", "latest", "--into", "sessions=" + target.url])
            #expect(try target.command("DEBUG", "DIGEST") == digest)
        }
    }
}
