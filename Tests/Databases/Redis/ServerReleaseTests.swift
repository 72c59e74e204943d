import Model
@testable import Redis
import TestKit
import Testing

/// Which server can read what another one has written, across Redis and Valkey.
struct ServerReleaseTests {
    @Test(arguments: [
        ("7.0.15", "7.0.15"), ("6.2.14", "6.2.14"), ("valkey 7.2.5", "7.2.4"),
        ("valkey 8.0.1", "7.2.4"), ("valkey 9.1.2", "7.2.4"), ("", "0.0.0"),
    ])
    func `a Valkey can do what the Redis that it came from can`(text: String, compatible: String) {
        let release = ServerRelease(text)
        #expect(release.compatible == RedisVersion(compatible))
        #expect(release.isValkey == text.hasPrefix("valkey"))
        if !text.isEmpty { #expect(release.description == text) }
    }

    @Test(arguments: [
        ("7.0.15", "7.0.2", true), ("7.0.15", "6.2.14", true), ("6.2.14", "7.0.15", false),
        ("7.4.1", "7.2.5", true), ("7.2.5", "7.4.1", false),
        ("valkey 8.0.1", "7.0.15", true), ("valkey 7.2.5", "7.2.4", true),
        ("valkey 8.1.1", "7.4.1", false), ("valkey 9.1.2", "8.0.0", false),
        ("7.2.5", "valkey 8.1.1", true), ("8.0.0", "valkey 8.0.1", true),
        ("7.0.15", "valkey 8.0.1", false), ("6.2.14", "valkey 7.2.5", false),
        ("8.2.0", "valkey 9.0.0", false), ("valkey 9.1.2", "valkey 9.0.0", true),
        ("valkey 8.1.1", "valkey 9.0.0", false), ("valkey 9.1.2", "valkey 8.0.1", true),
    ])
    func `who reads what whom has written`(reader: String, writer: String, does: Bool) {
        #expect(ServerRelease(reader).reads(ServerRelease(writer)) == does)
    }

    @Test func `programs tell who they are`() throws {
        let redis = "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64"
        #expect(ServerProgram.release(redis) == ServerRelease("7.0.15"))
        let valkey = "Valkey server v=9.1.2 sha=13710afe:0 malloc=libc bits=64"
        #expect(ServerProgram.release(valkey) == ServerRelease("valkey 9.1.2"))
        #expect(ServerProgram.release("something else") == nil)
    }

    /// As Valkey 9.1.2 wrote it (SET a 1 EX …), with `rdbchecksum no`.
    @Test func `the RDB of a Valkey 9 is one`() throws {
        var bytes = Array("VALKEY080".utf8)
        bytes += [0xfa, 10] + Array("valkey-ver".utf8) + [5] + Array("9.1.2".utf8)
        bytes += [0xfa, 10] + Array("redis-bits".utf8) + [0xc0, 64]
        bytes += [0xfe, 0, 0xfb, 1, 1, 0xfc, 0x0f, 0x7f, 0x1b, 0x2d, 0xa2, 1, 0, 0]
        let rest: [UInt8] = [0, 1, 97, 0xc0, 1, 0xff, 0, 0, 0, 0, 0, 0, 0, 0]
        let preamble = try #require(try RDBPreamble(bytes + rest))
        #expect(preamble.version == 80 && preamble.versionText == "valkey 9.1.2")
        var check = RDBCheck()
        check.take((bytes + rest).span.bytes)
        #expect(try check.finish() == preamble)
        // Its expiries are moved like those of any other.
        var filter = RDBExpiryFilter(.shift(1))
        var moved: [UInt8] = []
        try filter.take((bytes + rest).span.bytes) { piece in
            piece.withUnsafeBytes { moved += $0 }
        }
        var expected = bytes
        expected[expected.count - 8] = 0x10
        #expect(moved == expected + rest)
        #expect(throws: TidemarkError.self) { try RDBPreamble(Array("VALKEX080".utf8)) }
    }

    @Test(arguments: [
        ("valkey_version:9.1.2", "Valkey 9.1.2", "Valkey 9.1 or later; no Redis reads its RDB"),
        ("valkey_version:8.0.1", "Valkey 8.0.1", "Valkey 8.0 or later, or Redis 7.2 or later"),
        ("os:Linux", "Redis 7.2.4", "Redis 7.2 or later"),
    ])
    func `check says what restores will need`(
        field: String, product: String, readers: String
    ) async throws {
        try await offPool {
            let info = RedisDouble.info(hasBacklog: true, version: "7.2.4") + field + "\r\n"
            let server = try RedisDouble(.init(info: info))
            let findings = try room(server.url).inspector().check()
            let found = try #require(findings.first { $0.message.hasPrefix(product) })
            #expect(found.level == .ok)
            #expect(found.message.hasSuffix("; restores need " + readers), "\(found.message)")
        }
    }
}
