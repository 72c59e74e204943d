import Glibc
import Model
import Platform
import TestKit
import Testing

/// What a copy with TimescaleDB loads, wherever its source had that set. A copy without the library
/// would answer short over compressed chunks, and no error would tell.
@Suite(.timeLimit(.minutes(5)))
struct RestorePreloadTests {
    /// A running server, with programs of its own beside which any loadable module stands for
    /// TimescaleDB's; a server finds its libraries from where its programs lie.
    private struct Cluster {
        let server: PostgresServer
        let programs: String
        let outsideFile: String
        let process: Subprocess

        /// - Parameters:
        ///   - words: Of the server's command line.
        ///   - outside: Lines of a file outside the data directory that `postgresql.conf` includes.
        ///   - isDebian: `postgresql.conf` itself lies there, with what it includes.
        init(_ words: [String] = [], outside: [String] = [], isDebian: Bool = false) throws {
            server = try PostgresServer.start()
            try server.psql(
                """
                create table t as select 7 as i;
                create role archiver login replication;
                update pg_extension set extname = 'timescaledb', extversion = '2.17.2'
                    where extname = 'plpgsql'
                """)
            try server.stop()
            let root = try server.makeDirectory("root")
            programs = root + PostgresTools.bin
            let script = """
                set -e
                lib=$("$1/pg_config" --pkglibdir) share=$("$1/pg_config" --sharedir)
                mkdir -p "$0$1" "$0$lib" "$0$share"
                cp "$1/postgres" "$1/pg_ctl" "$1/pg_config" "$1/pg_controldata" "$0$1"
                ln -s "$lib"/* "$0$lib" && ln -s "$share"/* "$0$share"
                cp "$lib/auto_explain.so" "$0$lib/timescaledb.so"
                cp "$lib/auto_explain.so" "$0$lib/timescaledb-2.17.2.so"
                """
            try server.run("/bin/sh", ["-c", script, root, PostgresTools.bin])
            let folder = try server.makeDirectory("etc")
            outsideFile = folder + "/outside.conf"
            try TextFile.write(outsideFile, outside.map { $0 + "\n" }.joined())
            chmod(outsideFile, 0o644)
            var directory = server.pgData
            try server.appendSettings(["include_if_exists = '\(outsideFile)'"])
            if isDebian {
                try server.appendSettings([
                    "data_directory = '\(server.pgData)'",
                    "hba_file = '\(server.pgData)/pg_hba.conf'",
                    "ident_file = '\(server.pgData)/pg_ident.conf'",
                ])
                try server.run("/bin/mv", [server.pgData + "/postgresql.conf", folder])
                directory = folder
            }
            process = try Subprocess(
                programs + "/postgres", ["-D", directory] + words,
                SubprocessOptions(
                    directory: "/tmp", user: PostgresTools.user, outputFile: server.logPath,
                    signalOnParentDeath: .quit))
            try eventually("the server has its library: \(server.log.suffix(500))") {
                (try? server.psql("show shared_preload_libraries")) == "timescaledb"
            }
        }

        func stop() {
            process.signal(SIGQUIT)
            process.wait(seconds: 10)
        }
    }

    /// Archives, restores and starts again; what the copy has in force, and what restore said.
    private func copy(
        of cluster: Cluster, role: String = "postgres", before: () throws -> Void = {}
    ) throws -> (settings: [String], said: String) {
        let server = cluster.server
        let side = try SidecarHarness(server, url: server.url(user: role))
        let sidecar = try side.startWithBackup()
        try side.waitProved(side.moment())
        #expect(try sidecar.terminate().isSuccess)
        try before()
        let into = side.folder + "/copy"
        let done = try side.tidemark([
            "restore", "--to", "latest", "--into", into, "--start", "--pg-bin", cluster.programs,
        ])
        let data = into + "/ledger"
        try #require(done.status.isSuccess, "\(done.errors)")
        defer { _ = try? server.run("pg_ctl", ["-D", data, "-m", "immediate", "-w", "stop"]) }
        // Recovery's own settings are gone by now; so a second start tells what lasts.
        try server.run("pg_ctl", ["-D", data, "-m", "fast", "-w", "stop"])
        let port = try freePort()
        try server.run(
            cluster.programs + "/pg_ctl",
            ["-D", data, "-w", "-l", data + ".log", "-o", "-p \(port)", "start"])
        let answer = try side.ask(
            "postgresql://postgres@127.0.0.1:\(port)/postgres",
            """
            select i from t; show shared_preload_libraries; show max_worker_processes;
            show timescaledb.max_background_workers
            """)
        return (answer.split(separator: "\n").map(String.init), done.errors)
    }

    @Test
    func `set on the command line of the source, it is loaded and its limits stay`() async throws {
        try await offPool {
            let cluster = try Cluster([
                "-c", "shared_preload_libraries=timescaledb", "-c", "max_worker_processes=23",
            ])
            defer { cluster.stop() }
            let found = try copy(of: cluster)
            #expect(found.settings == ["7", "timescaledb", "23", "0"])
            #expect(!found.said.contains("not recorded"), "\(found.said)")
        }
    }

    @Test
    func `set in a file outside the data directory that is not here, it is loaded`() async throws {
        try await offPool {
            let cluster = try Cluster(outside: [
                "shared_preload_libraries = 'timescaledb'", "max_worker_processes = 23",
            ])
            defer { cluster.stop() }
            let file = cluster.outsideFile
            let found = try copy(of: cluster) {
                #expect(rename(file, file + ".away") == 0)
            }
            #expect(found.settings == ["7", "timescaledb", "23", "0"])
        }
    }

    @Test
    func `set where the role may not see it, it is loaded, with a warning`() async throws {
        try await offPool {
            let cluster = try Cluster(
                outside: ["shared_preload_libraries = 'timescaledb'"], isDebian: true)
            defer { cluster.stop() }
            let found = try copy(of: cluster, role: "archiver")
            #expect(found.settings == ["7", "timescaledb", "8", "0"])
            #expect(
                found.said.contains("shared_preload_libraries of ledger is not recorded"),
                "\(found.said)")
            #expect(found.said.contains("GRANT pg_monitor"), "\(found.said)")
        }
    }
}
