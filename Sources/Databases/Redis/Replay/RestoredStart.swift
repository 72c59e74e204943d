import Glibc
import Model
import Platform

/// Starts a server on a restored copy and waits until it has loaded everything.
struct RestoredStart {
    let order: RestoreOrder
    let program: ServerProgram

    private var root: String { order.destination }
    private var log: String { root + "/" + Self.logName }
    private var pidFile: String { root + "/" + Self.pidName }

    static let logName = "tidemark-start.log"
    static let pidName = "redis.pid"

    /// Process id of a server that a restore started on this folder, if it lives.
    static func runningServer(on root: String) -> Int32? {
        let text = content(root + "/" + pidName)
        guard let process = Int32(text.filter(\.isNumber)), process > 0 else { return nil }
        return kill(process, 0) == 0 || errno == EPERM ? process : nil
    }

    /// The server, and how many keys it has in which database. There is no time limit: loading
    /// takes as long as it takes, and the end of the process ends the wait.
    func run(
        port: UInt16?, reached: Position
    ) throws(TidemarkError) -> (RestoredServer, [String]) {
        var chosen = port
        if chosen == nil { chosen = try LoopbackPort.free() }
        let port = chosen ?? 0
        order.leaves(
            "\(root) is whole, and need not be restored again; its server, on port \(port), goes "
                + "on by itself; to stop it: redis-cli -p \(port) SHUTDOWN NOSAVE")
        let done = try Subprocess.run(
            program.path,
            [
                root + "/" + RestoredSettings.fileName, "--port", String(port),
                "--bind", "127.0.0.1", "--daemonize", "yes", "--pidfile", pidFile,
                "--logfile", log, "--save", "",
            ], seconds: 60)
        guard done.status.isSuccess else { throw failure(done.output + done.errors) }
        let url = "redis://127.0.0.1:\(port)"
        let configuration = try RedisConfiguration(source: order.source, url: url)
        let info = try waitUntilLoaded(configuration)
        let process = Int32(info["process_id"] ?? "") ?? 0
        return (RestoredServer(url: url, reached: reached, process: process), info.keyCounts)
    }

    private func waitUntilLoaded(
        _ configuration: RedisConfiguration
    ) throws(TidemarkError) -> ServerInfo {
        let never = Monitor(())
        let patience = SocketWait.now() + 30
        while true {
            if let info = try answer(configuration), !info.isLoading { return info }
            // The pid file is written before loading begins; while its process lives, loading goes
            // on.
            if let process = pid() {
                guard kill(process, 0) == 0 else { throw failure("") }
            } else if SocketWait.now() > patience {
                throw failure("")
            }
            // Loading has no event of its own to wait for; twenty looks a second cost nothing.
            _ = never.wait(seconds: 0.05) { _ in Bool?.none }
        }
    }

    /// Nil while the server does not answer yet.
    private func answer(_ configuration: RedisConfiguration) throws(TidemarkError) -> ServerInfo? {
        do throws(TidemarkError) {
            var connection = try Connection.open(configuration)
            return try Questions.info(&connection)
        } catch  where error.code == .sourceUnreachable {
            return nil
        }
    }

    private func pid() -> Int32? {
        let text = Self.content(pidFile)
        return Int32(text.filter(\.isNumber))
    }

    private static func content(_ path: String) -> String {
        do throws(SystemFailure) {
            let file = try File(path, .reading)
            let size = try file.status().size
            let tail: UInt64 = min(size, 4096)
            return String(decoding: try file.read(at: size - tail, Int(tail)), as: UTF8.self)
        } catch {
            // Not there yet.
            return ""
        }
    }

    private func failure(_ words: String) -> TidemarkError {
        let last = (words + Self.content(log)).split(whereSeparator: \.isNewline).last ?? ""
        return TidemarkError(
            .failed, "the restored server stopped: \(last)", remedy: "its log is \(log)")
    }
}
