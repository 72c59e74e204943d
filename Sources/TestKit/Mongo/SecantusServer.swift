package import Model
import Platform
import Glibc

/// SecantusDB, a server that speaks MongoDB's protocol, in a scratch directory: a live source for
/// change streams and a live target for restores.
///
/// A program of its own that `Scripts/test` puts into `.build/secantus` (or the virtual environment
/// that `TIDEMARK_TEST_SECANTUS` names); nothing of it is linked or shipped. It listens on a free
/// port of 127.0.0.1 as a replica set of one member named `secantus`, and is killed when the object
/// goes and when the test process dies. Every call blocks: use it inside `offPool`.
package final class SecantusServer: Sendable {
    package let port: Int
    /// The server's data; kept over `restart`.
    package let directory: String
    private let scratch: ScratchDirectory
    private let settings: [String]
    private let server = Monitor<Subprocess?>(nil)

    /// Makes an empty server and starts it.
    ///
    /// - Parameter settings: further arguments of `secantusd-py`.
    package static func start(_ settings: [String] = []) throws(TidemarkError) -> SecantusServer {
        let server = try SecantusServer(settings)
        try server.start()
        return server
    }

    private init(_ settings: [String]) throws(TidemarkError) {
        self.settings = settings
        port = try freePort()
        scratch = try ScratchDirectory()
        directory = try scratch.directory("data")
    }

    deinit { kill9() }

    package var url: String { "mongodb://127.0.0.1:\(port)" }
    package var logPath: String { scratch.path + "/server.log" }
    package var pid: Int32? { server.read { $0?.pid } }

    /// The folder with the programs of the virtual environment.
    private static let programs: String = {
        let root = #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
        let named = getenv("TIDEMARK_TEST_SECANTUS").map { unsafe String(cString: $0) }
        return (named ?? "/\(root)/.build/secantus") + "/bin"
    }()

    // MARK: starting and stopping

    /// Starts the server on its data and waits until it answers.
    package func start(seconds: Double = 60) throws(TidemarkError) {
        let process = try Subprocess(
            Self.programs + "/secantusd-py",
            ["--host", "127.0.0.1", "--port", "\(port)", "--storage-path", directory] + settings,
            SubprocessOptions(
                directory: scratch.path, outputFile: logPath, signalOnParentDeath: .kill))
        server.update { $0 = process }
        do {
            try eventually("SecantusDB on port \(port) listens", seconds: seconds) {
                if let status = process.status {
                    throw TidemarkError(.failed, "it ended: \(status)")
                }
                return textFile(logPath).contains("listening on 127.0.0.1:\(port)")
            }
        } catch {
            kill9()
            throw TidemarkError(
                .failed,
                "cannot start SecantusDB on port \(port): \(textFile(logPath).suffix(1500))",
                remedy: "run Scripts/test once: it installs SecantusDB", cause: error)
        }
    }

    /// Asks the server to end, and waits for it.
    package func stop(seconds: Double = 60) throws(TidemarkError) {
        guard let process = server.read({ $0 }) else { return }
        process.signal(SIGTERM)
        guard process.wait(seconds: seconds) != nil else {
            throw TidemarkError(.failed, "SecantusDB did not end within \(seconds) s after SIGTERM")
        }
        server.update { $0 = nil }
    }

    package func kill9() {
        server.update { process in
            process?.signal(SIGKILL)
            process?.wait(seconds: 10)
            process = nil
        }
    }

    // MARK: the official driver as a client

    /// Runs a Python script with pymongo; `client` is connected, and what it prints comes back
    /// without the last line end. Throws `failed`, with the script's error, when it fails.
    @discardableResult
    package func python(_ script: String, seconds: Double = 120) throws(TidemarkError) -> String {
        try Self.python(script, url: url + "/?directConnection=true", seconds: seconds)
    }

    /// The same against any server: the virtual environment has the driver.
    @discardableResult
    package static func python(
        _ script: String, url: String, seconds: Double
    ) throws(TidemarkError) -> String {
        let begin = """
            import pymongo, bson, sys
            from bson import *
            client = pymongo.MongoClient("\(url)", serverSelectionTimeoutMS=20000)

            """
        let done = try Subprocess.run(
            programs + "/python", ["-"],
            SubprocessOptions(input: Array((begin + script).utf8)), seconds: seconds)
        guard done.status.isSuccess else {
            throw TidemarkError(.failed, "pymongo: \(done.output)\(done.errors)")
        }
        return done.output.hasSuffix("\n") ? String(done.output.dropLast()) : done.output
    }
}
