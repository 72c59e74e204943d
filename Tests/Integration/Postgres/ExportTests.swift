import Model
import Platform
import Postgres
import TestKit
import Testing

/// Files of `export`, judged by Postgres's own programs.
@Suite(.timeLimit(.minutes(5)))
struct ExportTests {
    private func export(
        _ side: SidecarHarness, _ name: String, _ words: [String]
    ) throws -> [String] {
        let done = try side.tidemark(
            ["export", "ledger", "--into", side.folder + "/" + name] + words)
        try #require(done.status.isSuccess, "export said: \(done.errors)")
        return done.output.split(separator: "\n").map(String.init)
    }

    private func name(_ path: String) -> String { String(path.split(separator: "/").last ?? "") }

    @Test func `WAL segments of a stretch are the server's own, and a server recovers from them`()
        async throws
    {
        try await offPool {
            let server = try PostgresServer.start(
                .init(settings: ["wal_keep_size = '1GB'"], segmentMebibytes: 1))
            try server.psql("create table t (i int, s text)")
            let side = try SidecarHarness(server)
            let sidecar = try side.startWithBackup()
            let fill = "insert into t select i, repeat(md5(i::text), 20) from "
            try server.psql(fill + "generate_series(1, 3000) i")
            let from = try server.psql("select pg_current_wal_lsn()")
            try server.psql(fill + "generate_series(3001, 6000) i")
            let to = try server.psql("select pg_current_wal_lsn()")
            try server.psql(fill + "generate_series(6001, 6100) i")
            try side.waitProved(side.moment())

            let files = try export(side, "part", ["--from", "lsn:\(from)", "--to", "lsn:\(to)"])
            #expect(files.count > 2)
            let first = try server.psql("select pg_walfile_name('\(from)')")
            #expect(name(files[0]) == first)
            for file in files where !file.hasSuffix(".partial") {
                try server.run("/usr/bin/cmp", [file, server.pgData + "/pg_wal/" + name(file)])
            }
            let dump = try server.run(
                "pg_waldump", ["--path", side.folder + "/part", "--stats", name(files[0])])
            #expect(dump.output.contains("Heap"))

            // A base backup and everything behind it, without any Tidemark in the recovery.
            let all = try export(side, "all", ["--to", "latest"])
            #expect(all.contains { $0.hasSuffix("/base.tar") })
            #expect(all.last?.hasSuffix(".partial") == true)
            #expect(try sidecar.terminate().isSuccess)
            let rows = try recovered(server, side, all)
            #expect(rows == "6100")
            try side.expect(2, ["export", "ledger", "--to", "latest", "--into", side.folder])
            try side.expect(
                3, ["export", "ledger", "--to", "lsn:F/0", "--into", side.folder + "/far"])
        }
    }

    /// By hand: unpack, let the server fetch the exported files with `cp`.
    private func recovered(
        _ server: PostgresServer, _ side: SidecarHarness, _ files: [String]
    ) throws -> String {
        let data = side.folder + "/data"
        let wal = side.folder + "/all"
        try server.run(
            "/bin/sh",
            [
                "-ec",
                """
                mkdir -m 0700 "$0" && tar -xf "$1/base.tar" -C "$0"
                for f in "$1"/*.partial; do mv "$f" "${f%.partial}"; done
                touch "$0/recovery.signal"
                echo "restore_command = 'cp $1/%f %p'" >> "$0/postgresql.conf"
                echo "port = $2" >> "$0/postgresql.conf"
                """, data, wal, String(try freePort()),
            ])
        try server.run("pg_ctl", ["-D", data, "-w", "-t", "60", "start"], seconds: 90)
        defer { _ = try? server.run("pg_ctl", ["-D", data, "-m", "immediate", "stop"]) }
        let port = try server.run("/bin/sh", ["-c", "sed -n 4p \"$0/postmaster.pid\"", data])
            .output.filter(\.isNumber)
        return try server.run(
            "psql",
            ["-XAtq", "-h", "127.0.0.1", "-p", port, "-c", "select count(*) from t", "postgres"]
        ).output.filter(\.isNumber)
    }
}
