import Model
import TestKit
import Testing

@testable import Redis

/// Which server can read what another one has written, across Redis and Valkey.
struct ServerReleaseTests {
    @Test func `Valkey counts by itself`() {
        let valkey = ServerRelease("valkey 8.1.1")
        #expect(valkey.isValkey && valkey.version == RedisVersion(8, 1, 1))
        #expect(valkey.level == RedisVersion(7, 2, 4))
        #expect(valkey.description == "valkey 8.1.1")
        let redis = ServerRelease("8.0.2")
        #expect(!redis.isValkey && redis.level == RedisVersion(8, 0, 2))
        #expect(ServerInfo("redis_version:7.2.4\r\nvalkey_version:8.1.1\r\n").release == valkey)
    }

    @Test(arguments: [("redis-ver", "8.0.2", "8.0.2"), ("valkey-ver", "8.1.1", "valkey 8.1.1")])
    func `an RDB tells who wrote it`(field: String, number: String, text: String) throws {
        func string(_ text: String) -> [UInt8] { [UInt8(text.utf8.count)] + Array(text.utf8) }
        let rdb = Array("REDIS0011".utf8) + [0xfa] + string(field) + string(number) + [0xff]
        #expect(try RDBPreamble(rdb)?.release == text)
    }

    @Test(arguments: [
        ("Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.2.1 bits=64", "7.0.15"),
        ("Valkey server v=8.1.1 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64", "valkey 8.1.1"),
    ])
    func `a program tells its release`(said: String, text: String) {
        #expect(ServerProgram.release(said)?.description == text)
    }

    @Test(arguments: [
        // The same kind: its own age.
        ("7.0.15", "6.2.14", 9, true), ("6.2.14", "7.0.15", 10, false),
        ("8.0.2", "8.0.5", 12, true), ("valkey 8.0.1", "valkey 8.1.1", 11, false),
        ("valkey 9.0.0", "valkey 8.1.1", 11, true),
        // The other: the version of the RDB, not its own larger number.
        ("valkey 8.1.1", "7.0.15", 10, true), ("valkey 8.1.1", "7.2.4", 11, true),
        ("valkey 8.1.1", "7.4.1", 12, false), ("valkey 8.1.1", "8.0.2", 12, false),
        ("valkey 9.0.0", "8.0.2", 12, false), ("8.0.2", "valkey 8.1.1", 11, true),
        ("7.2.4", "valkey 8.1.1", 11, true), ("7.0.15", "valkey 8.1.1", 11, false),
        ("8.0.2", "valkey 9.0.0", 80, false), ("6.2.14", "valkey 7.2.5", 11, false),
    ])
    func `a server reads what its kind had before the two parted`(
        server: String, source: String, rdb: Int, can: Bool
    ) {
        #expect(ServerRelease(server).canRead(ServerRelease(source), rdb: rdb) == can)
    }

    /// As Valkey 9.1.2 wrote it (SET a 1 EX …), with `rdbchecksum no`.
    @Test func `the RDB of a Valkey 9 is one`() throws {
        var bytes = Array("VALKEY080".utf8)
        bytes += [0xfa, 10] + Array("valkey-ver".utf8) + [5] + Array("9.1.2".utf8)
        bytes += [0xfa, 10] + Array("redis-bits".utf8) + [0xc0, 64]
        bytes += [0xfe, 0, 0xfb, 1, 1, 0xfc, 0x0f, 0x7f, 0x1b, 0x2d, 0xa2, 1, 0, 0]
        let rest: [UInt8] = [0, 1, 97, 0xc0, 1, 0xff, 0, 0, 0, 0, 0, 0, 0, 0]
        let preamble = try #require(try RDBPreamble(bytes + rest))
        #expect(preamble.version == 80 && preamble.release == "valkey 9.1.2")
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
