import Model
import TestKit
import Testing

@testable import Redis

struct ExpiryEditTests {
    private func edited(
        _ words: String, _ change: ExpiryEdit.Change = .none, relative: Bool = false
    ) -> String? {
        let edit = ExpiryEdit(change: change, hasRelativeTimes: relative)
        let command = resp(words.split(separator: " ").map(String.init))
        guard let bytes = edit.apply(command, now: 1_000_000) else { return nil }
        return CommandWords(bytes).words.map { String(decoding: $0, as: UTF8.self) }
            .joined(separator: " ")
    }

    @Test(arguments: [
        ("SET k v PX 500", "SET k v PXAT 1000500"), ("set k v nx ex 5", "set k v nx PXAT 1005000"),
        ("SETEX k 5 v", "SET k v PXAT 1005000"), ("PSETEX k 5 v", "SET k v PXAT 1000005"),
        ("EXPIRE k 5", "PEXPIREAT k 1005000"), ("PEXPIRE k 5", "PEXPIREAT k 1000005"),
        ("EXPIREAT k 2000", "PEXPIREAT k 2000000"), ("GETEX k PX 7", "PEXPIREAT k 1000007"),
        ("RESTORE k 7 v", "RESTORE k 1000007 v ABSTTL"),
    ])
    func `times of servers before 7.0 count from when they had arrived`(
        before: String, after: String
    ) {
        #expect(edited(before, relative: true) == after)
    }

    @Test(arguments: [
        ("SET k v PXAT 100", "SET k v PXAT 150", "SET k v"),
        ("PEXPIREAT k 100", "PEXPIREAT k 150", "PERSIST k"),
        (
            "RESTORE k 100 v REPLACE ABSTTL", "RESTORE k 150 v REPLACE ABSTTL",
            "RESTORE k 0 v REPLACE ABSTTL"
        ),
        ("HPEXPIREAT k 100 FIELDS 1 f", "HPEXPIREAT k 150 FIELDS 1 f", "HPERSIST k FIELDS 1 f"),
        (
            "HSETEX k PXAT 100 FIELDS 1 PX 9", "HSETEX k PXAT 150 FIELDS 1 PX 9",
            "HSETEX k FIELDS 1 PX 9"
        ),
    ])
    func `absolute times are shifted, or taken away`(
        before: String, shifted: String, persisted: String
    ) {
        #expect(edited(before, .shift(50)) == shifted)
        #expect(edited(before, .persist) == persisted)
    }

    @Test(arguments: [
        "SET k v", "SET k PX", "DEL k", "RESTORE k 0 v", "EXPIRE k soon", "SET k v KEEPTTL",
        "HSET k PXAT 5", "EXPIRE k 9223372036854775807",
    ])
    func `everything else stays as it is`(command: String) {
        #expect(edited(command, .shift(50), relative: true) == nil)
        #expect(edited(command, .persist, relative: true) == nil)
    }

    @Test func `a stream split anywhere is edited alike`() throws {
        let stream = ["SET k v PX 500", "MULTI", "SETEX k 5 v", "SET a b", "EXEC", "PING"]
            .flatMap { resp($0.split(separator: " ").map(String.init)) }
        let expected = ["SET k v PXAT 2500", "SET k v PXAT 7000", "SET a b"]
            .flatMap { resp($0.split(separator: " ").map(String.init)) }
        let time = CommitTime(microseconds: 2_000_000)
        for cut in 0...stream.count {
            var filter = StreamFilter(
                at: StreamEdge(position: 0),
                edit: ExpiryEdit(change: .none, hasRelativeTimes: true))
            filter.index([TimeIndexEntry(position: 0, earliest: time, latest: time)])
            var output: [UInt8] = []
            for part in [stream[..<cut], stream[cut...]] where !part.isEmpty {
                let piece = Array(part)
                try filter.take(piece.span.bytes) { (kept) throws(TidemarkError) in
                    kept.withUnsafeBytes { output.append(contentsOf: $0) }
                }
            }
            #expect(output == expected, "cut at \(cut)")
        }
    }

    @Test func `an RDB split anywhere keeps all but its expiries`() async throws {
        try await offPool {
            let server = try RedisServer.start()
            try server.lines(
                """
                SET a v PXAT 9000000000000
                SET n 12345
                RPUSH l a b c 1 2 3
                SADD s 1 2 3
                SADD t x y z
                ZADD z 1.5 a
                HSET h f v
                XADD x 1-1 f v
                XGROUP CREATE x g 0
                XREADGROUP GROUP g c STREAMS x >
                SELECT 5
                SET b v PXAT 9000000000000
                """ + "\n")
            try server.pipe(Workload.functions)
            try server.command("SET", "long", String(repeating: "ab", count: 40_000))
            let room = try room(server.url)
            let backup = room.baseBackup()
            _ = try backup.begin(label: "t", fast: true)
            let file = CollectedBackup()
            while try backup.pull(into: file) == nil {}
            let rdb = file.bytes
            let same = try filteredRDB(rdb, .shift(0), rdb.count)
            #expect(same == rdb)
            let whole = try filteredRDB(rdb, .shift(86_400_000), rdb.count)
            #expect(whole.count == rdb.count && whole != rdb)
            #expect(try filteredRDB(rdb, .persist, rdb.count).count == rdb.count - 18)
            for size in [1, 2, 3, 7, 64, 1000] {
                #expect(try filteredRDB(rdb, .shift(86_400_000), size) == whole)
            }
            var check = RDBCheck()
            check.take(whole.span.bytes)
            _ = try check.finish()
        }
    }
}
