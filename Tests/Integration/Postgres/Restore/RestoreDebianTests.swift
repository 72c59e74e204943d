import Glibc
import Model
import Platform
import TestKit
import Testing

/// A server as Debian keeps it: configuration outside the data directory, with TimescaleDB.
@Suite(.timeLimit(.minutes(5)))
struct RestoreDebianTests {
    /// A running server whose data directory holds no configuration, only `postgresql.auto.conf`.
    private struct Cluster {
        let server: PostgresServer
        let folder: String
        let library: String
        let process: Subprocess

        /// Any loadable module can stand for TimescaleDB's, as far as its being there matters.
        init() throws {
            server = try PostgresServer.start()
            // The catalog then says what CREATE EXTENSION timescaledb would have written.
            try server.psql(
                """
                create table t as select 7 as i;
                update pg_extension set extname = 'timescaledb', extversion = '2.17.2'
                    where extname = 'plpgsql'
                """)
            try server.stop()
            folder = try server.makeDirectory("etc")
            library = try server.makeDirectory("lib")
            try server.run(
                "/bin/sh",
                [
                    "-c",
                    """
                    mv "$0/postgresql.conf" "$0/pg_hba.conf" "$0/pg_ident.conf" "$1"
                    module=$("$3" --pkglibdir)/auto_explain.so
                    cp "$module" "$2/timescaledb.so" && cp "$module" "$2/timescaledb-2.17.2.so"
                    cat >> "$1/postgresql.conf" <<END
                    data_directory = '$0'
                    hba_file = '$1/pg_hba.conf'
                    ident_file = '$1/pg_ident.conf'
                    dynamic_library_path = '\\$libdir:$2'
                    shared_preload_libraries = 'timescaledb'
                    max_worker_processes = 23
                    END
                    echo "# rules of the source" >> "$1/pg_hba.conf"
                    """, server.pgData, folder, library, PostgresTools.path("pg_config"),
                ])
            process = try Subprocess(
                PostgresTools.path("postgres"), ["-D", folder],
                SubprocessOptions(
                    directory: "/tmp", user: PostgresTools.user, outputFile: server.logPath,
                    signalOnParentDeath: .quit))
            try eventually("the server runs on its outside configuration") {
                (try? server.psql("show config_file")) == folder + "/postgresql.conf"
            }
        }

        func stop() {
            process.signal(SIGQUIT)
            process.wait(seconds: 10)
        }
    }

    @Test
    func `comes back with rules, limits and libraries, and its jobs off`() async throws {
        try await offPool {
            let cluster = try Cluster()
            defer { cluster.stop() }
            let server = cluster.server
            let side = try SidecarHarness(server)
            let sidecar = try side.startWithBackup()
            try side.waitProved(side.moment())
            #expect(try sidecar.terminate().isSuccess)

            // Without the library of this very version nothing is restored.
            let library = cluster.library + "/timescaledb-2.17.2.so"
            try server.run("/bin/mv", [library, library + ".away"])
            let into = side.folder + "/copy"
            let missing = try side.expect(
                1, ["restore", "--to", "latest", "--into", into, "--start"])
            #expect(missing.contains("timescaledb-2.17.2.so"), "\(missing)")
            #expect(missing.contains("install exactly these versions"), "\(missing)")
            #expect(access(into + "/ledger", F_OK) != 0)
            try server.run("/bin/mv", [library + ".away", library])

            let settings = try side.restored(to: "latest") { url in
                try side.ask(
                    url,
                    """
                    select i from t; show config_file; show shared_preload_libraries;
                    show max_worker_processes; show timescaledb.max_background_workers
                    """)
            }
            let data = into + "/ledger"
            #expect(
                settings.split(separator: "\n")
                    == ["7", "\(data)/postgresql.conf", "timescaledb", "23", "0"])
            let rules = try server.run("/bin/cat", [data + "/pg_hba.conf"]).output
            #expect(rules.hasSuffix("# rules of the source\n"))
            let original = try server.run("/bin/cat", [data + "/postgresql.conf.source"]).output
            #expect(original.contains("data_directory = '\(server.pgData)'"))
        }
    }
}
