import Glibc
import Model
import Platform
import TestKit
import Testing

/// What `--start` leaves behind, when it works and when it does not.
@Suite(.timeLimit(.minutes(5)))
struct RestoreStartTests {
    @Test func `a port in use is refused before anything is written`() async throws {
        try await offPool {
            let fixture = try RestoreFixture.archived()
            let folder = try fixture.server.makeDirectory("target")
            for more in [[], ["--dry-run"]] {
                let done = try fixture.restore(
                    to: "latest", into: folder,
                    ["--start", "--port", String(fixture.server.port)] + more)
                #expect(done.exitStatus == 2, "\(done.errors)")
                #expect(done.errors.contains("port \(fixture.server.port) is in use"))
                #expect(access(folder + "/ledger", F_OK) != 0)
            }
        }
    }

    @Test func `a server that does not start leaves a copy that can be gone on with`() async throws
    {
        try await offPool {
            let fixture = try RestoreFixture.archived()
            let folder = try fixture.server.makeDirectory("target")
            let bin = try fixture.server.makeDirectory("bin")
            try TextFile.write(
                bin + "/pg_ctl",
                """
                #!/bin/sh
                [ "$1" = --version ] && exec \(PostgresTools.path("pg_ctl")) "$@"
                exit 1

                """)
            chmod(bin + "/pg_ctl", 0o755)
            let failed = try fixture.restore(
                to: "latest", into: folder, ["--start", "--pg-bin", bin])
            #expect(failed.exitStatus == 1, "\(failed.errors)")
            #expect(failed.errors.contains("need not be restored again"), "\(failed.errors)")
            #expect(failed.errors.contains("/pg_ctl start -w -D"), "\(failed.errors)")
            let data = folder + "/ledger"
            try start(fixture, data)
            defer { fixture.stop(data) }
            try eventually("promotion") { access(data + "/recovery.signal", F_OK) != 0 }
        }
    }

    @Test func `ended by a signal it says how the server that it started is stopped`()
        async throws
    {
        try await offPool {
            let fixture = try RestoreFixture.archived()
            let folder = try fixture.server.makeDirectory("target")
            let data = folder + "/ledger"
            let bin = try fixture.server.makeDirectory("bin")
            // Starts the server, and is in no hurry to say so.
            try TextFile.write(
                bin + "/pg_ctl",
                """
                #!/bin/sh
                \(PostgresTools.path("pg_ctl")) "$@" || exit 1
                [ "$1" != start ] || { touch "\(folder)/started"; exec sleep 10; }

                """)
            chmod(bin + "/pg_ctl", 0o755)
            let restore = try TidemarkProcess(
                [
                    "restore", "--repository", "file://" + fixture.repository, "--to", "latest",
                    "--into", folder, "--start", "--pg-bin", bin,
                ], user: PostgresTools.user)
            defer { fixture.stop(data) }
            try eventually("the server was started", seconds: 60) {
                access(folder + "/started", F_OK) == 0
            }
            restore.process.signal(SIGINT)
            #expect(restore.process.wait(seconds: 20) == .signalled(SIGINT))
            let log = restore.log
            #expect(
                log.contains("tidemark: interrupted: ledger: \(data) is whole, and need not be "),
                "\(log)")
            let mark = try #require(log.ranges(of: "to stop it: ").last, "\(log)")
            let command = String(log[mark.upperBound...].prefix { !$0.isNewline })
            #expect(command.hasPrefix(bin + "/pg_ctl stop -m fast -D "), "\(command)")
            #expect(access(data + "/postmaster.pid", F_OK) == 0)
            let done = try fixture.server.run("/bin/sh", ["-c", command])
            #expect(done.status.isSuccess && access(data + "/postmaster.pid", F_OK) != 0)
        }
    }

    @Test func `once promoted only what protects the source stays in its settings`() async throws {
        try await offPool {
            let fixture = try RestoreFixture.archived()
            let folder = try fixture.server.makeDirectory("target")
            let done = try fixture.restore(to: "latest", into: folder, ["--start"])
            let data = folder + "/ledger"
            defer { fixture.stop(data) }
            #expect(done.exitStatus == 0, "\(done.errors)")
            #expect(done.errors.contains("ALTER SYSTEM RESET archive_mode;"), "\(done.errors)")
            let report = done.errors.split(separator: "RTO ").dropFirst().last ?? ""
            let seconds = try #require(Double(report.prefix { !$0.isWhitespace }), "\(done.errors)")
            #expect(seconds > 0 && seconds < 150, "\(done.errors)")
            #expect(done.errors.contains("stopped and started again it listens where"))
            #expect(done.errors.contains("on this machine: psql -h '\(data)' -p "))
            let settings = TextFile.read(data + "/postgresql.auto.conf")
            for word in ["restore_command", "recovery_", "hot_standby", "max_"] {
                #expect(!settings.contains(word), "\(word): \(settings)")
            }
            #expect(settings.contains("archive_mode = off"), "\(settings)")
            try fixture.server.run("pg_ctl", ["stop", "-w", "-m", "fast", "-D", data])
            let port = try start(fixture, data)
            let answer = try fixture.server.run(
                "psql",
                [
                    "-XAtqc", "show hot_standby; select i from t",
                    "postgresql://127.0.0.1:\(port)/postgres?user=postgres",
                ]
            ).output
            #expect(answer == "on\n7\n")
        }
    }

    @discardableResult
    private func start(_ fixture: RestoreFixture, _ data: String) throws -> Int {
        let port = try freePort()
        try fixture.server.run(
            "pg_ctl", ["start", "-w", "-D", data, "-l", data + ".log", "-o", "-p \(port)"])
        return port
    }
}
