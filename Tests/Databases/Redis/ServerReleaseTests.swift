import Testing

@testable import Redis

struct ServerReleaseTests {
    @Test func `Valkey counts by itself`() {
        let valkey = ServerRelease("valkey 8.1.1")
        #expect(valkey.isValkey && valkey.version == RedisVersion(8, 1, 1))
        #expect(valkey.level == RedisVersion(7, 2, 4))
        #expect(valkey.text == "valkey 8.1.1")
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
        #expect(ServerProgram.release(said)?.text == text)
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
}
