package import Model
import Platform
import Glibc

/// A real Postgres server in a scratch directory, for one test or one suite.
///
/// It listens on a free port of 127.0.0.1 and runs as the user `postgres` when we are root. It is
/// stopped and its directory removed when the object goes, at exit, and when the test process dies
/// (parent-death signal). Every call blocks: use it inside `offPool`. Data is not fsynced by the
/// server (`fsync=off`) unless the options say otherwise: tests kill processes, not machines.
package final class PostgresServer: Sendable {
    package let port: Int
    package let options: PostgresOptions
    /// The data directory.
    package let pgData: String
    /// The server's log; appended over restarts.
    package let logPath: String
    let scratch: ScratchDirectory
    private let postmaster = Monitor<Subprocess?>(nil)

    /// Makes a new cluster and starts it.
    package static func start(
        _ options: PostgresOptions = .init()
    ) throws(TidemarkError) -> PostgresServer {
        let server = try PostgresServer(options)
        try PostgresTemplate.copy(to: server.pgData, options)
        try server.appendSettings(server.ownSettings + options.settings)
        try server.start()
        return server
    }

    /// Does not start anything; the data directory does not exist yet.
    init(_ options: PostgresOptions) throws(TidemarkError) {
        self.options = options
        port = try freePort()
        scratch = try ScratchDirectory(owner: PostgresTools.user)
        pgData = scratch.path + "/data"
        logPath = scratch.path + "/server.log"
    }

    deinit {
        guard let process = postmaster.read({ $0 }) else { return }
        process.signal(SIGQUIT)
        if process.wait(seconds: 10) == nil { process.signal(SIGKILL) }
    }

    /// Settings that make the server a test server of this fixture.
    var ownSettings: [String] {
        [
            "listen_addresses = '127.0.0.1'", "port = \(port)",
            "unix_socket_directories = '\(scratch.path)'", "fsync = off", "shared_buffers = 16MB",
            "max_connections = 50", "log_line_prefix = '%m [%p] %a '", "logging_collector = off",
            "wal_receiver_status_interval = 1s", "timezone = 'UTC'", "log_timezone = 'UTC'",
        ]
    }

    /// Appends lines to postgresql.conf; the last of several equal settings wins. Takes effect with
    /// `reload` or `restart`.
    package func appendSettings(_ lines: [String]) throws(TidemarkError) {
        try append(lines, to: "postgresql.conf")
    }

    /// Replaces pg_hba.conf. Takes effect with `reload`.
    package func setHBA(_ lines: [String]) throws(TidemarkError) {
        unlink(pgData + "/pg_hba.conf")
        try append(lines, to: "pg_hba.conf")
    }

    private func append(_ lines: [String], to file: String) throws(TidemarkError) {
        let text = lines.map { $0 + "\n" }.joined()
        try run("/bin/sh", ["-c", "cat >> \"$0\"", pgData + "/" + file], input: Array(text.utf8))
    }

    // MARK: starting and stopping

    /// Starts the server and waits until it takes connections (a standby: read-only ones).
    package func start(seconds: Double = 60) throws(TidemarkError) {
        let process = try Subprocess(
            options.bin + "/postgres", ["-D", pgData],
            SubprocessOptions(
                directory: "/tmp", user: PostgresTools.user, outputFile: logPath,
                signalOnParentDeath: .quit))
        postmaster.update { $0 = process }
        do {
            try eventually("Postgres on port \(port) is ready", seconds: seconds) {
                if let status = process.status {
                    throw TidemarkError(.failed, "it ended: \(status)")
                }
                return isReady(process.pid)
            }
        } catch {
            process.signal(SIGKILL)
            process.wait()
            throw TidemarkError(
                .failed, "cannot start Postgres on port \(port): \(log.suffix(1500))", cause: error)
        }
    }

    /// What pg_ctl looks at: line 8 of postmaster.pid is the state, line 1 the pid.
    private func isReady(_ pid: Int32) -> Bool {
        let lines = textFile(pgData + "/postmaster.pid").split(
            separator: "\n", omittingEmptySubsequences: false)
        guard lines.count >= 8, lines[0] == String(pid) else { return false }
        return lines[7].hasPrefix("ready") || lines[7].hasPrefix("standby")
    }

    /// How a server is asked to stop; the names are pg_ctl's.
    package enum StopMode: Sendable {
        case smart, fast, immediate

        var signal: Int32 {
            switch self {
            case .smart: SIGTERM
            case .fast: SIGINT
            case .immediate: SIGQUIT
            }
        }
    }

    /// Stops the server and waits for its end. Throws `failed` when it takes longer than `seconds`;
    /// the server then goes on stopping.
    package func stop(_ mode: StopMode = .fast, seconds: Double = 60) throws(TidemarkError) {
        guard let process = postmaster.read({ $0 }) else { return }
        process.signal(mode.signal)
        guard process.wait(seconds: seconds) != nil else {
            throw TidemarkError(
                .failed, "Postgres did not stop (\(mode)) within \(seconds) s: \(log.suffix(1500))")
        }
        postmaster.update { $0 = nil }
    }

    package func restart(_ mode: StopMode = .fast) throws(TidemarkError) {
        try stop(mode)
        try start()
    }

    /// Kills every process of the server at once, as a machine that stops does.
    package func kill9() throws(TidemarkError) {
        guard let process = postmaster.read({ $0 }) else { return }
        let children = childProcesses(of: process.pid)
        process.signal(SIGKILL)
        process.wait()
        for child in children { kill(child, SIGKILL) }
        do {
            try eventually("the backends are gone") { children.allSatisfy(hasEnded) }
        } catch {
            throw TidemarkError(.failed, "cannot kill the backends", cause: error)
        }
        postmaster.update { $0 = nil }
    }

    /// Pid of the postmaster; nil when it is stopped.
    package var pid: Int32? { postmaster.read { $0?.pid } }
    package var isRunning: Bool {
        postmaster.read { $0.map { $0.status == nil } ?? false }
    }

    /// Everything the server has logged.
    package var log: String { textFile(logPath) }
}
