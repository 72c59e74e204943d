import FoundationEssentials
import Model
import Platform
import Postgres
import TestKit
import Testing

/// A server whose clock ran ahead for a moment and was set right again.
@Suite(.timeLimit(.minutes(5)))
struct BackwardClockTests {
    /// WAL as such a server would have written it: the real thing with the stamp of one commit
    /// moved by an hour, and the record's checksum made to fit.
    private func moveOneCommit(_ path: String, of server: PostgresServer) throws {
        var bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
        let name = String(path.split(separator: "/").last ?? "")
        let size = UInt64(bytes.count)
        let number = try #require(UInt64(name.dropFirst(16), radix: 16))
        let log = try #require(UInt64(name.dropFirst(8).prefix(8), radix: 16))
        let start = log << 32 + number * size
        var scanner = try WalScanner(startAt: start, segmentBytes: size, tail: .mayFollow)
        var commits: [HistoryEntry] = []
        try unsafe scanner.feed(bytes.span.bytes, at: start) {
            (entry) throws(TidemarkError) in
            if case .commit = entry.event { commits.append(entry) }
        }
        let victim = try #require(
            commits.dropFirst().dropLast().first { $0.first / 8192 == ($0.last - 1) / 8192 })
        let place = Int(victim.first - start)
        let length = Int(bytes[place]) | Int(bytes[place + 1]) << 8
        try #require(bytes[place + 24] == 255, "the commit has a short main part")
        let moved = victim.time.advanced(bySeconds: 3600).postgres
        for byte in 0..<8 {
            bytes[place + 26 + byte] = UInt8(truncatingIfNeeded: moved >> (8 * Int64(byte)))
        }
        var sum = CRC32C()
        unsafe sum.update(bytes.span.bytes.extracting(place + 24..<place + length))
        unsafe sum.update(bytes.span.bytes.extracting(place..<place + 20))
        for byte in 0..<4 {
            bytes[place + 20 + byte] = UInt8(truncatingIfNeeded: sum.value >> (8 * UInt32(byte)))
        }
        try server.run("/bin/sh", ["-c", "cat > \"$0\"", path], input: bytes)
    }

    private let file = "select pg_walfile_name(pg_current_wal_insert_lsn())"

    @Test
    func `a time where the clock ran backwards is refused with the positions to choose from`()
        async throws
    {
        try await offPool {
            let server = try PostgresServer.start(
                .init(settings: ["autovacuum = off"], segmentMebibytes: 1))
            try server.psql("create table t (i int)")
            let side = try SidecarHarness(server)
            #expect(try side.startWithBackup().terminate().isSuccess)
            try server.psql("select pg_switch_wal()")
            try server.psql("insert into t values (1)")
            let second = try server.psql(file)
            let before = try side.moment()
            for _ in 0..<3 { try server.psql("select pg_sleep(0.2); insert into t values (2)") }
            try server.psql("select pg_sleep(0.2); insert into t values (3)")
            let after = try side.moment()
            try server.psql("select pg_sleep(0.2); select pg_switch_wal()")
            try server.psql("insert into t values (4)")
            let third = try server.psql(file)
            try server.psql("select pg_switch_wal()")
            try server.stop()
            try moveOneCommit(server.pgData + "/pg_wal/" + second, of: server)
            let names = try server.run("/bin/ls", [server.pgData + "/pg_wal"]).output
                .split(separator: "\n").map(String.init)
            for name in names.sorted() where name.count == 24 && name <= third {
                try side.expect(0, ["wal", "push", server.pgData + "/pg_wal/" + name])
            }
            let into = ["--into", side.folder + "/copy"]
            try side.expect(0, ["restore", "--to", before, "--dry-run"] + into)
            let text = try side.expect(3, ["restore", "--to", after, "--dry-run"] + into)
            #expect(text.contains("ran backwards"), "\(text)")
            let places = text.split(separator: " ").filter { $0.hasPrefix("lsn:") }
            #expect(places.count == 2)
            for place in places {
                try side.expect(0, ["restore", "--to", String(place), "--dry-run"] + into)
            }
            let rows = try side.restored(to: String(try #require(places.last))) {
                try side.ask($0, "select string_agg(i::text, ',' order by i) from t")
            }
            #expect(rows == "1,2,2,2,3")
        }
    }
}
