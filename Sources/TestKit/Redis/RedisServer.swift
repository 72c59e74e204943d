package import Model
package import Platform
import Glibc

/// A real Redis server in a scratch directory, for one test or one suite.
///
/// It listens on a free port of 127.0.0.1 and on a socket in its directory. It is stopped and its
/// directory removed when the object goes, at exit, and when the test process dies (parent-death
/// signal). Every call blocks: use it inside `offPool`. Nothing is saved by itself (`save ""`)
/// unless the settings say otherwise; no AOF.
package final class RedisServer: Sendable {
    package let port: Int
    /// Data, log and socket lie here; the server's own `dir`.
    package let directory: String
    private let scratch: ScratchDirectory
    private let settings: [String]
    private let program: String
    /// The setting that allows DEBUG, where there is one.
    private let mayDebug: [String]
    private let server = Monitor<Subprocess?>(nil)

    /// Makes a directory for a server and starts it.
    ///
    /// - Parameters:
    ///   - settings: lines of redis.conf, after and stronger than the fixture's own.
    ///   - version: of one of the `OtherServers`; nil for the machine's own.
    package static func start(
        _ settings: [String] = [], version: String? = nil
    ) throws(TidemarkError) -> RedisServer {
        let server = try RedisServer(settings, version: version)
        try server.start()
        return server
    }

    /// Does not start anything; files may be put into `directory` first.
    package init(_ settings: [String] = [], version: String? = nil) throws(TidemarkError) {
        self.settings = settings
        program = version.map { OtherServers.redisServer($0) } ?? "redis-server"
        let isOld = version.map { $0.hasPrefix("6.") } ?? (Self.majorVersion < 7)
        mayDebug = isOld ? [] : ["enable-debug-command local"]
        port = try freePort()
        scratch = try ScratchDirectory()
        directory = try scratch.directory("data")
    }

    deinit {
        guard let process = server.read({ $0 }) else { return }
        process.signal(SIGKILL)
        process.wait(seconds: 10)
    }

    package var socketPath: String { scratch.path + "/redis.sock" }
    package var logPath: String { scratch.path + "/server.log" }
    /// Everything the server has logged.
    package var log: String { textFile(logPath) }
    package var url: String { "redis://127.0.0.1:\(port)" }
    package var pid: Int32? { server.read { $0?.pid } }

    private var ownSettings: [String] {
        [
            "bind 127.0.0.1", "port \(port)", "unixsocket \(socketPath)", "dir \(directory)",
            "save \"\"", "appendonly no", "daemonize no", "repl-diskless-sync-delay 0",
        ] + mayDebug
    }

    /// Of the `redis-server` that is found first; another one can be put in front by PATH.
    package static let majorVersion: Int = {
        let told = try? Subprocess.run("redis-server", ["--version"], seconds: 20).output
        let number = told?.firstRange(of: "v=").map { told?[$0.upperBound...] ?? "" }
        return Int(number?.prefix { $0.isNumber } ?? "") ?? 0
    }()

    // MARK: starting and stopping

    /// Starts the server and waits until it has loaded its data.
    package func start(seconds: Double = 60) throws(TidemarkError) {
        let configuration = (ownSettings + settings).map { $0 + "\n" }.joined()
        let process = try Subprocess(
            program, ["-"],
            SubprocessOptions(
                directory: directory, input: Array(configuration.utf8), outputFile: logPath,
                signalOnParentDeath: .kill))
        server.update { $0 = process }
        do {
            try eventually("Redis on port \(port) is ready", seconds: seconds) {
                if let status = process.status {
                    throw TidemarkError(.failed, "it ended: \(status)")
                }
                // Before that whoever answers on this port is another server.
                guard listens(process.pid) else { return false }
                let answer = try Subprocess.run(
                    "redis-cli", cliWords + ["PING"], seconds: seconds
                ).output
                // A server with a password is up as well.
                return answer.hasPrefix("PONG") || answer.hasPrefix("NOAUTH")
                    || answer.hasPrefix("NOPERM")
            }
        } catch {
            process.signal(SIGKILL)
            process.wait()
            throw TidemarkError(
                .failed, "cannot start Redis on port \(port): \(log.suffix(1500))", cause: error)
        }
    }

    /// Whether this very process has the port: its own log, each line of which begins with its pid,
    /// says so once it is bound and the data is loaded.
    private func listens(_ pid: Int32) -> Bool {
        log.split(separator: "\n").contains {
            $0.hasPrefix("\(pid):") && $0.contains("Ready to accept connections")
        }
    }

    /// SHUTDOWN with or without saving an RDB, and waits for the end.
    package func stop(saving: Bool = false, seconds: Double = 60) throws(TidemarkError) {
        guard let process = server.read({ $0 }) else { return }
        _ = try Subprocess.run(
            "redis-cli", cliWords + ["SHUTDOWN", saving ? "SAVE" : "NOSAVE"], seconds: seconds)
        guard process.wait(seconds: seconds) != nil else {
            throw TidemarkError(.failed, "Redis did not stop: \(log.suffix(1500))")
        }
        server.update { $0 = nil }
    }

    /// Asks the server to end and returns its exit status and how long it took.
    package func terminate(seconds: Double = 60) throws(TidemarkError) -> ExitStatus {
        guard let process = server.read({ $0 }) else { return .exited(0) }
        process.signal(SIGTERM)
        guard let status = process.wait(seconds: seconds) else {
            throw TidemarkError(.failed, "Redis did not end within \(seconds) s after SIGTERM")
        }
        server.update { $0 = nil }
        return status
    }

    package func kill9() {
        server.update { process in
            process?.signal(SIGKILL)
            process?.wait(seconds: 10)
            process = nil
        }
    }

    // MARK: commands

    private var cliWords: [String] { ["-s", socketPath] }

    /// One command by redis-cli; the answer without its last line end. Throws `failed` for an error
    /// answer.
    @discardableResult
    package func command(_ words: String..., seconds: Double = 60) throws(TidemarkError) -> String {
        let done = try Subprocess.run("redis-cli", cliWords + ["-e"] + words, seconds: seconds)
        guard done.status.isSuccess else {
            throw TidemarkError(.failed, "\(words): \(done.output)\(done.errors)")
        }
        return done.output.hasSuffix("\n") ? String(done.output.dropLast()) : done.output
    }

    /// Commands, one a line, as if typed into redis-cli; the answers one a line.
    @discardableResult
    package func lines(
        _ text: String, seconds: Double = 120
    ) throws(TidemarkError) -> [String] {
        let done = try Subprocess.run(
            "redis-cli", cliWords, SubprocessOptions(input: Array(text.utf8)), seconds: seconds)
        guard done.status.isSuccess else {
            throw TidemarkError(.failed, "redis-cli: \(done.output)\(done.errors)")
        }
        return done.output.split(separator: "\n", omittingEmptySubsequences: false).map {
            String($0)
        }
    }

    /// Raw bytes of the protocol, sent as they are (`redis-cli --pipe`).
    package func pipe(_ bytes: [UInt8], seconds: Double = 120) throws(TidemarkError) {
        let done = try Subprocess.run(
            "redis-cli", cliWords + ["--pipe"], SubprocessOptions(input: bytes), seconds: seconds)
        guard done.status.isSuccess, done.output.contains("errors: 0") else {
            throw TidemarkError(.failed, "redis-cli --pipe: \(done.output)\(done.errors)")
        }
    }

    /// As `pipe`, for commands of which some are refused (a wrong type, a missing key).
    package func pipeAllowingErrors(
        _ bytes: [UInt8], seconds: Double = 120
    ) throws(TidemarkError) {
        let done = try Subprocess.run(
            "redis-cli", cliWords + ["--pipe"], SubprocessOptions(input: bytes), seconds: seconds)
        guard done.output.contains("replies: ") else {
            throw TidemarkError(.failed, "redis-cli --pipe: \(done.output)\(done.errors)")
        }
    }

    /// A field of INFO.
    package func info(_ field: String) throws(TidemarkError) -> String {
        let text = try command("INFO")
        for line in text.split(whereSeparator: \.isNewline) where line.hasPrefix(field + ":") {
            return String(line.dropFirst(field.count + 1))
        }
        return ""
    }

    /// Bytes of the replication stream so far.
    package func offset() throws(TidemarkError) -> UInt64 {
        UInt64(try info("master_repl_offset")) ?? 0
    }
}
