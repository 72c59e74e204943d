import Glibc
import Model
import Platform
import Repository
import Segments
import Storage
import TestKit
import Testing

/// A flipped bit in the open segment: never a torn tail, for nobody.
@Suite(.serialized, .timeLimit(.minutes(8)))
struct SidecarDamageTests {
    /// A stopped sidecar, a row for each flush, and a bit flipped behind the third.
    private struct Damaged {
        var side: SidecarHarness
        var sidecar: TidemarkProcess
        /// Just behind the third row.
        var position: String
        /// Between the second row and the third: behind the last commit that can be read, no time
        /// is proved.
        var moment: String
        /// Behind the last row.
        var end: String
        var endMoment: String
        var partial: String
    }

    private func damaged(_ options: PostgresOptions = .init()) throws -> Damaged {
        let server = try PostgresServer.start(options)
        try server.psql("create table t (i int, pad text)")
        let side = try SidecarHarness(server)
        let sidecar = try side.startWithBackup()
        var found = Damaged(
            side: side, sidecar: sidecar, position: "", moment: "", end: "", endMoment: "",
            partial: "")
        var place: UInt64 = 0
        for row in 1...6 {
            try server.psql(
                "insert into t select \(row), repeat(md5('\(row)'), 100)")
            found.end = try server.psql("select pg_current_wal_flush_lsn()")
            found.endMoment = try side.moment()
            try side.waitProved(found.endMoment)
            if row == 2 { found.moment = found.endMoment }
            guard row == 3 else { continue }
            found.position = found.end
            (found.partial, place) = try openEnd(side)
        }
        #expect(try sidecar.terminate().isSuccess)
        #expect(try openEnd(side).path == found.partial)
        // In the note or the head of the frame behind the third row's.
        #expect(try openEnd(side).end > place + 100)
        flip(found.partial, at: place + 20)
        return found
    }

    /// The open segment and where its last whole frame ends in the file.
    private func openEnd(_ side: SidecarHarness) throws -> (path: String, end: UInt64) {
        let store = try FolderURL("file://" + side.archive).open(createRoot: false)
        let key = try #require(
            store.list("ledger/wal/").map(\.key).last { $0.name.hasSuffix(".partial") })
        let survey = try SegmentReader.survey(store, key, first: 0, bytes: 16 << 20)
        return (side.archive + "/" + key.path, survey.end)
    }

    private func flip(_ path: String, at place: UInt64) {
        let file = open(path, O_RDWR)
        defer { close(file) }
        var byte: UInt8 = 0
        #expect(pread(file, &byte, 1, off_t(place)) == 1)
        byte ^= 1
        #expect(pwrite(file, &byte, 1, off_t(place)) == 1)
    }

    private func copies(_ side: SidecarHarness) throws -> [String] {
        try side.server.run(
            "/bin/sh", ["-c", "find \"$0\" -name '*.partial.damaged-*'", side.archive]
        ).output.split(separator: "\n").map(String.init)
    }

    private func rows(_ side: SidecarHarness, _ target: String, _ name: String) throws -> String {
        try side.restored(to: target, name: name) {
            try side.ask($0, "select string_agg(i::text, '' order by i) from t")
        }
    }

    @Test
    func `what lies behind it is refused by name, what lies before it restores`() async throws {
        try await offPool {
            let damaged = try damaged()
            let side = damaged.side
            let source = try side.status()
            #expect(source.objective == "breached" && source.exposureSeconds == nil)
            #expect(source.restorableTo == nil)
            #expect(source.reason.contains("is damaged behind that"), "\(source.reason)")
            #expect(source.reason.contains("was acknowledged"), "\(source.reason)")
            try side.expect(6, ["status", "--check"])
            #expect(try side.expect(4, ["verify"]).contains("whole frames follow"))
            for target in ["latest", "lsn:" + damaged.end, damaged.endMoment] {
                let said = try side.expect(
                    4, ["restore", "--to", target, "--into", side.folder + "/refused"])
                #expect(said.contains("can be read only up to"), "\(said)")
                #expect(said.contains("--to lsn:"), "\(said)")
            }
            #expect(access(side.folder + "/refused", F_OK) != 0)
            try expectFetch(damaged)
            #expect(try rows(side, "lsn:" + damaged.position, "position") == "123")
            #expect(try rows(side, damaged.moment, "moment") == "12")
            let said = try side.expect(
                4, ["restore", "--to", "latest", "--into", side.folder + "/refused"])
            let named = try #require(said.firstRange(of: "--to lsn:"))
            let target = String(said[named.upperBound...].prefix { $0 != " " })
            #expect(try rows(side, "lsn:" + target, "named") == "123")
        }
    }

    /// The server is never told that history ends there.
    private func expectFetch(_ damaged: Damaged) throws {
        let name = String(damaged.partial.split(separator: "/").last?.prefix(24) ?? "")
        let path = damaged.side.folder + "/RECOVERYXLOG"
        let fetch = ["wal", "fetch", "--source", "ledger"]
        let said = try damaged.side.expect(126, fetch + [name, path])
        #expect(said.contains("archiveDamaged"), "\(said)")
        #expect(access(path, F_OK) != 0)
        try damaged.side.expect(126, fetch + ["--until", damaged.end, name, path])
        try damaged.side.expect(126, fetch + ["--until", "nowhere", name, path])
        try damaged.side.expect(0, fetch + ["--until", damaged.position, name, path])
        #expect(access(path, F_OK) == 0)
    }

    @Test
    func `the next start fetches the rest again and keeps the damaged copy`() async throws {
        try await offPool {
            let damaged = try damaged()
            let side = damaged.side
            let again = try side.start()
            try again.waitForLog("the open segment is damaged")
            try side.waitProved(side.moment())
            #expect(try copies(side).count == 1)
            try eventually("all is well") { try side.status().objective == "met" }
            #expect(try side.status().reason == "")
            #expect(try again.terminate().isSuccess)
            #expect(!again.log.contains("gap in the archive"))
            #expect(try side.expect(0, ["verify", "--deep"]).contains(".partial.damaged-"))
            #expect(try rows(side, "latest", "latest") == "123456")
            #expect(try rows(side, "lsn:" + damaged.position, "position") == "123")
            // Nothing is said of it any more.
            let third = try side.start()
            try side.waitProved(side.moment())
            #expect(try third.terminate().isSuccess)
            #expect(!third.log.contains("the open segment"), "\(third.log)")
            #expect(try copies(side).count == 1)
        }
    }

    @Test
    func `what the server no longer has becomes a gap and a new base backup`() async throws {
        try await offPool {
            let damaged = try damaged(
                .init(settings: ["max_wal_size = 32MB", "wal_recycle = off"], segmentMebibytes: 1))
            let side = damaged.side
            let first = try side.status().lastBackup?.id
            try side.server.psql("select pg_drop_replication_slot('tidemark_ledger')")
            for _ in 0..<3 {
                try side.server.psql(
                    """
                    insert into t select 7, repeat('x', 1000) from generate_series(1, 3000);
                    select pg_switch_wal(); checkpoint
                    """)
            }
            let again = try side.start()
            try again.waitForLog("gap in the archive")
            try eventually("a new base backup is there", seconds: 90) {
                try side.status().lastBackup?.id != first
            }
            try side.waitProved(side.moment())
            #expect(try again.terminate().isSuccess)
            #expect(again.log.contains("the open segment is damaged"))
            #expect(try copies(side).count == 1)
            #expect(try side.status().gaps.count == 1)
            try side.expect(0, ["verify", "--deep"])
            let count = try side.restored(to: "latest", name: "latest") {
                try side.ask($0, "select count(*) from t")
            }
            #expect(count == "9006")
            #expect(try rows(side, "lsn:" + damaged.position, "position") == "123")
            let third = try side.start()
            try side.waitProved(side.moment())
            #expect(try third.terminate().isSuccess)
            #expect(!third.log.contains("the open segment"), "\(third.log)")
        }
    }

    @Test
    func `the same segment pushed whole by the server takes its place`() async throws {
        try await offPool {
            let damaged = try damaged()
            let side = damaged.side
            try side.server.psql("select pg_switch_wal()")
            let name = String(damaged.partial.split(separator: "/").last?.prefix(24) ?? "")
            try side.expect(0, ["wal", "push", side.server.pgData + "/pg_wal/" + name])
            #expect(try !side.status().reason.contains("damaged"))
            #expect(try rows(side, "latest", "latest") == "123456")
            let again = try side.start()
            try side.waitProved(side.moment())
            #expect(try again.terminate().isSuccess)
            #expect(!again.log.contains("the open segment is"), "\(again.log)")
            #expect(access(damaged.partial, F_OK) != 0)
            try side.expect(0, ["verify", "--deep"])
        }
    }
}
