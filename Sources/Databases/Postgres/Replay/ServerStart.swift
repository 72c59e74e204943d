import Glibc
import Model
import Platform

/// Starts the server of a restored copy and waits until it has recovered and been promoted.
///
/// With `hot_standby = off` the state line of `postmaster.pid` says `ready` only after promotion,
/// so nobody has to log in. There is no time limit: recovery takes as long as it takes, and the end
/// of the server's process ends the wait.
struct ServerStart {
    let order: RestoreOrder
    let programs: ServerPrograms

    private var root: String { order.destination }
    private var log: String { root + "/tidemark-start.log" }

    func run(port: UInt16) throws(TidemarkError) -> RestoredServer {
        try CopyFiles.removeTree(log)
        order.leaves(
            "\(root) is whole, and need not be restored again; its server, on port \(port), may "
                + "go on recovering by itself; to stop it: \(order.commandPrefix)"
                + "\(programs.control) stop -m fast -D \(Self.shellQuoted(root))")
        let done = try Subprocess.run(
            programs.control,
            ["start", "-D", root, "-w", "-t", "2000000", "-l", log, "-o", options(port)],
            SubprocessOptions(environment: ["LC_ALL": "C"]), seconds: 2_000_000)
        guard done.status.isSuccess else { throw failure(port) }
        let process = try waitUntilReady(port)
        return RestoredServer(
            url: "postgresql://127.0.0.1:\(port)/postgres", reached: try reached(),
            process: process)
    }

    /// Where its unix socket lies; nil when it has none. A socket's path has 107 bytes at most, and
    /// the server adds `/.s.PGSQL.65535`.
    private var socketFolder: String? { root.utf8.count <= 90 ? root : nil }

    /// How to get in without a password, where the source's access rules allow it.
    func remarks(port: UInt16) -> [String] {
        guard let socketFolder else { return [] }
        return [
            "on this machine: \(order.commandPrefix)psql -h \(Self.shellQuoted(socketFolder)) "
                + "-p \(port) postgres (access rules and passwords are the source's)"
        ]
    }

    /// pg_ctl hands the options to a shell, so the path is quoted for one.
    private func options(_ port: UInt16) -> String {
        [
            "-p \(port)", "-c listen_addresses=127.0.0.1",
            "-c unix_socket_directories=" + Self.shellQuoted(socketFolder ?? ""),
            "-c logging_collector=off", "-c log_destination=stderr", "-c hot_standby=off",
        ].joined(separator: " ")
    }

    static func shellQuoted(_ text: String) -> String {
        "'"
            + text.split(separator: "'", omittingEmptySubsequences: false).joined(
                separator: "'\\''")
            + "'"
    }

    /// Line 8 of postmaster.pid (`LOCK_FILE_LINE_PM_STATUS`, pidfile.h).
    private func waitUntilReady(_ port: UInt16) throws(TidemarkError) -> Int32 {
        let destination = Destination(path: root)
        let never = Monitor(())
        while true {
            guard let process = try destination.runningServer() else { throw failure(port) }
            let content = try CopyFiles.read(root + "/postmaster.pid") ?? []
            let lines = content.split(
                separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            if lines.count > 7, String(decoding: lines[7], as: UTF8.self).hasPrefix("ready") {
                return process
            }
            // The file has no event of its own to wait for; twenty looks a second cost nothing.
            _ = never.wait(seconds: 0.05) { _ in Bool?.none }
        }
    }

    /// Promotion wrote a new history file; its last line says where recovery ended.
    private func reached() throws(TidemarkError) -> Position {
        let names = try CopyFiles.names(root + "/pg_wal") ?? []
        guard let name = names.last(where: { $0.hasSuffix(".history") }),
            let number = UInt32(name.prefix(8), radix: 16),
            let content = try CopyFiles.read(root + "/pg_wal/" + name)
        else {
            throw TidemarkError(
                .failed, "the server on \(root) runs, but did not say where recovery ended",
                remedy: "read \(log)")
        }
        let history = try TimelineHistory(timeline: number, content: content)
        return Position(
            timeline: TimelineID(postgres: number),
            ordinal: history.ancestors.last?.switchPoint ?? 0)
    }

    private func failure(_ port: UInt16) -> TidemarkError {
        let content = (try? CopyFiles.read(log)) ?? []
        let report = ServerReport(log: String(decoding: content, as: UTF8.self))
        return TidemarkError(
            report.code, "the restored server stopped: \(report.reason)",
            remedy: report.advice + "; its log is \(log); to go on: "
                + "\(programs.control) start -w -D \(Self.shellQuoted(root)) -l "
                + "\(Self.shellQuoted(log)) -o '-p \(port)'")
    }
}
