import Model
import Platform
import TestKit
import Testing

/// Fields of hashes that expire by themselves (Redis 7.4 and later).
@Suite(.timeLimit(.minutes(5)))
struct FieldExpiryTests {
    private static let version = "8.0"
    private static let fields = (0..<40).map { "f\($0)" }
    /// Small and large ones, compressed and not, of the base backup and of the stream.
    private static let hashes = ["small", "squeezed", "large", "gone", "small2", "large2", "set2"]

    private static func hash(_ key: String, _ count: Int, value: String = "v") -> String {
        "HSET \(key) " + fields.prefix(count).map { "\($0) \(value)" }.joined(separator: " ")
    }

    /// When each field of each hash expires, by the server's own words.
    private func times(_ ask: ([String]) throws -> String) throws -> [[Int]] {
        try Self.hashes.map { key in
            try ask(["HPEXPIRETIME", key, "FIELDS", "40"] + Self.fields).split(separator: "\n")
                .compactMap { Int($0) }
        }
    }

    private func words(_ url: String) -> ([String]) throws -> String {
        { try Subprocess.run("redis-cli", ["-u", url, "-e"] + $0, seconds: 30).output }
    }

    private func load(_ server: RedisServer) throws {
        let long = String(repeating: "abc", count: 20)
        try server.lines(
            """
            CONFIG SET hash-max-listpack-entries 30
            \(Self.hash("small", 3))
            HPEXPIRE small 900000 FIELDS 2 f1 f2
            \(Self.hash("squeezed", 20, value: long))
            HEXPIREAT squeezed 9000000000 FIELDS 2 f3 f19
            \(Self.hash("large", 40))
            HPEXPIRE large 800000 FIELDS 3 f0 f20 f39
            HEXPIRE large 700 FIELDS 1 f7
            \(Self.hash("gone", 4))
            HPEXPIRE gone 300 FIELDS 2 f0 f1
            EXPIRE small 5000
            """ + "\n")
    }

    private func stream(_ server: RedisServer) throws {
        try server.lines(
            """
            \(Self.hash("small2", 5))
            HPEXPIRE small2 600000 FIELDS 2 f1 f4
            HPERSIST small2 FIELDS 1 f4
            HPEXPIRE small 950000 FIELDS 1 f1
            \(Self.hash("large2", 40))
            HEXPIRE large2 500 FIELDS 2 f2 f38
            HGETEX large2 PX 650000 FIELDS 1 f9
            HSETEX set2 EX 600 FIELDS 2 f0 a f1 b
            HSETEX set2 KEEPTTL FIELDS 1 f1 c
            HGETDEL set2 FIELDS 1 f2
            """ + "\n")
    }

    @Test func `their times come back exactly, moved or taken away as asked`() async throws {
        try await offPool {
            let server = try RedisServer.start(version: Self.version)
            try load(server)
            let harness = try ArchiveHarness(server)
            let sidecar = try harness.startWithBackup()
            try stream(server)
            try eventually("the short lives end") {
                try server.command("HLEN", "gone") == "2"
            }
            let wanted = try times { try self.words(server.url)($0) }
            #expect(wanted.map { $0.count { $0 > 0 } } == [2, 2, 4, 0, 1, 3, 2], "\(wanted)")
            harness.pause()
            let moment = try harness.moment()
            try harness.waitProved(moment)
            let digest = try server.command("DEBUG", "DIGEST")
            #expect(try sidecar.terminate().isSuccess)
            let target = moment.text(fractionDigits: 6)
            let bin = ["--pg-bin", OtherServers.redis(Self.version)]

            let loaded = try harness.loaded(to: target, version: Self.version)
            #expect(try loaded.command("DEBUG", "DIGEST") == digest)
            #expect(try times(words(loaded.url)) == wanted)
            let served = try RedisServer.start(version: Self.version)
            let into = ["restore", "--to", target, "--into", "sessions="]
            try harness.expect(0, into.dropLast() + ["sessions=" + served.url])
            #expect(try times(words(served.url)) == wanted)

            let shifted = try harness.restore(
                to: target, name: "shifted", bin + ["--expiry", "shift"])
            let live = try RedisServer.start(version: Self.version)
            try harness.expect(
                0, into.dropLast() + ["sessions=" + live.url, "--expiry", "shift"])
            for url in [shifted, live.url] {
                let found = try times(words(url))
                let key = try Int(words(url)(["PEXPIRETIME", "small"]).filter(\.isNumber)) ?? 0
                let difference = try key - (Int(server.command("PEXPIRETIME", "small")) ?? 0)
                #expect(difference > 0)
                #expect(found == wanted.map { $0.map { $0 > 0 ? $0 + difference : $0 } })
            }
            let kept = try harness.restore(
                to: target, name: "persisted", bin + ["--expiry", "persist"])
            #expect(try times(words(kept)) == wanted.map { $0.map { $0 > 0 ? -1 : $0 } })
            let sums = ["EVAL", "return redis.call('HGETALL', KEYS[1])", "1", "squeezed"]
            #expect(try words(kept)(sums).count > 20 * 60)
            // What the server saves of it is what its own checker takes.
            #expect(try words(kept)(["SAVE"]) == "OK\n")
            let checker = OtherServers.redis(Self.version) + "/redis-check-rdb"
            try shell("\"$0\" \"$1/persisted/sessions/dump.rdb\"", checker, harness.folder)
        }
    }
}
