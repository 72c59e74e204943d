import Model
import Platform
import Postgres
import Repository
import Segments
import Storage
import TestKit
import Testing

/// The index in the footers of an archive, judged by pg_waldump over the same segments.
@Suite(.timeLimit(.minutes(5)))
struct SidecarIndexTests {
    /// A line of pg_waldump that the index should know.
    private struct Record {
        var position: UInt64
        var end: UInt64
        /// Of a commit or an abort.
        var time: CommitTime?
        /// Of a restore point.
        var name: String?
    }

    /// The records of segments that follow each other, unpacked by lz4.
    private func dumped(_ server: PostgresServer, _ files: [String]) throws -> [Record] {
        let folder = try server.makeDirectory("unpacked")
        let names = files.map { String($0.split(separator: "/").last!.prefix(24)) }
        for (file, name) in zip(files, names) {
            try server.run(
                "/bin/sh", ["-c", "lz4 -dc \"$0\" > \"$1\"", file, folder + "/" + name])
        }
        let text = try server.run(
            "/bin/sh",
            [
                "-c",
                // It ends with 1 where the record that began last does not end.
                """
                TZ=UTC "$0" --path "$1" "$2" "$3" > "$1/dump" 2> "$1/errors" ||
                    grep -q "error in WAL record" "$1/errors"
                grep -E "desc: (COMMIT|ABORT|RESTORE_POINT)" "$1/dump"
                """, PostgresTools.path("pg_waldump"), folder, names[0], names.last!,
            ]
        ).output
        return try text.split(separator: "\n").map { try #require(Self.record($0), "\($0)") }
    }

    /// `… len (rec/tot): 34/ 46, tx: 738, lsn: 0/015302B0, prev …, desc: COMMIT 2026-… UTC; …`
    private static func record(_ line: Substring) -> Record? {
        guard let length = line.split(separator: "/").dropFirst(2).first,
            let total = UInt64(length.split { !$0.isNumber }.first ?? ""),
            let place = line.split(separator: "lsn: ").dropFirst().first?.prefix(while: {
                $0 != ","
            }), let position = LSN.parse(String(place)),
            let words = line.split(separator: "desc: ").last?.split(separator: " ")
        else { return nil }
        var record = Record(position: position, end: position + total)
        // A record that goes on behind a page's end has that page's header within.
        if (record.end - 1) / 8192 != position / 8192 { record.end += 24 }
        if words[0] == "RESTORE_POINT" {
            record.name = String(words[1])
        } else {
            record.time = CommitTime("\(words[1])T\(words[2])Z")
            if record.time == nil { return nil }
        }
        return record
    }

    @Test func `knows every commit, abort and restore point that pg_waldump prints`() async throws {
        try await offPool {
            let server = try PostgresServer.start(.init(segmentMebibytes: 1))
            let side = try SidecarHarness(server)
            let sidecar = try side.startWithBackup()
            try server.psql(
                """
                create table t (i int, s text);
                do $$ begin
                    for i in 1..900 loop
                        insert into t select i, string_agg(md5(random()::text), '')
                            from generate_series(1, 150);
                        if i % 7 = 0 then rollback; else commit; end if;
                        if i % 300 = 0 then
                            perform pg_create_restore_point('point' || i);
                        end if;
                    end loop;
                end $$;
                select pg_switch_wal();
                """)
            try side.waitProved(side.moment())
            try eventually("the segments are sealed") { try side.segments().count >= 4 }
            #expect(try sidecar.terminate().isSuccess)

            let archive = ArchiveRepository(
                try FolderURL("file://" + side.archive).open(createRoot: false))
            let files = try side.segments()
            let footers = try files.map {
                try SegmentReader.footer(
                    archive.store, ObjectKey(String($0.dropFirst(side.archive.count + 1))))
            }
            let records = try dumped(server, files)
            #expect(records.count > 800)
            #expect(
                footers.flatMap(\.restorePoints).map(\.name) == [
                    "point300", "point600", "point900",
                ])
            for footer in footers {
                let inside = records.filter { footer.first < $0.end && $0.end <= footer.last }
                let times = inside.compactMap(\.time)
                #expect(footer.firstCommit == times.min(), "\(footer.first)")
                #expect(footer.lastCommit == times.max(), "\(footer.first)")
                let points = inside.filter { $0.name != nil }
                #expect(footer.restorePoints.map(\.name) == points.compactMap(\.name))
                #expect(footer.restorePoints.map(\.position) == points.map(\.position))
                for (place, stretch) in footer.index.enumerated() {
                    let next =
                        place + 1 < footer.index.count
                        ? footer.index[place + 1].position : UInt64.max
                    let times = inside.filter {
                        stretch.position <= $0.position && $0.position < next
                    }.compactMap(\.time)
                    #expect(stretch.earliest == times.min(), "\(stretch.position)")
                    #expect(stretch.latest == times.max(), "\(stretch.position)")
                }
                #expect(footer.index.isEmpty == times.isEmpty)
            }
        }
    }
}
