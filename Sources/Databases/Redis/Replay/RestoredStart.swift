import Glibc
import Model
import Platform

/// Starts a server on a restored copy and waits until it has loaded everything.
struct RestoredStart {
    let order: RestoreOrder
    let program: ServerProgram

    private var root: String { order.destination }
    private var log: String { root + "/tidemark-start.log" }
    private var pidFile: String { root + "/redis.pid" }

    /// The server, and how many keys it has in which database. There is no time limit: loading
    /// takes as long as it takes, and the end of the process ends the wait.
    func run(
        port: UInt16?, reached: Position
    ) throws(TidemarkError) -> (RestoredServer, [String]) {
        var chosen = port
        if chosen == nil { chosen = try Self.freePort() }
        let port = chosen ?? 0
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
        let patience = Wire.now() + 30
        while true {
            if let info = try answer(configuration), !info.isLoading { return info }
            // The pid file is written before loading begins; while its process lives, loading goes
            // on.
            if let process = pid() {
                guard kill(process, 0) == 0 else { throw failure("") }
            } else if Wire.now() > patience {
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
        let text = content(pidFile)
        return Int32(text.filter(\.isNumber))
    }

    private func content(_ path: String) -> String {
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
        let last = (words + content(log)).split(whereSeparator: \.isNewline).last ?? ""
        return TidemarkError(
            .failed, "the restored server stopped: \(last)", remedy: "its log is \(log)")
    }

    private static func freePort() throws(TidemarkError) -> UInt16 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { if descriptor >= 0 { Glibc.close(descriptor) } }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = unsafe withUnsafeMutablePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(descriptor, $0, length) == 0
                    && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard isBound else {
            throw TidemarkError(.failed, "found no free port", remedy: "name one with --port")
        }
        return UInt16(bigEndian: address.sin_port)
    }
}
