package import Model
import Platform
import Glibc

/// A real mongod in a scratch directory, as a replica set of one member unless told otherwise, on a
/// free port of 127.0.0.1; killed when the object goes and when the test process dies.
///
/// The program that `TIDEMARK_TEST_MONGOD` names, `mongod` on PATH, or what `Scripts/test` has put
/// into `.build/mongod`, since Debian has none. Run as `nobody` by a test that is root. Every call
/// blocks: use it inside `offPool`.
package final class MongodServer: LiveMongo {
    package let port: Int
    private let directory: String
    private let scratch: ScratchDirectory
    private let server = Monitor<Subprocess?>(nil)

    /// Nil where there is none.
    package static let program: String? = {
        if let named = getenv("TIDEMARK_TEST_MONGOD").map({ unsafe String(cString: $0) }) {
            return named
        }
        let folders = getenv("PATH").map { unsafe String(cString: $0) } ?? ""
        let root = #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
        let places = folders.split(separator: ":").map { "\($0)/mongod" }
        return (places + ["/\(root)/.build/mongod/mongod"]).first { access($0, X_OK) == 0 }
    }()

    /// Its major and minor version, such as [3, 6]; empty where there is none.
    package static let version: [Int] = {
        guard let program,
            let told = try? Subprocess.run(program, ["--version"], seconds: 60).output,
            let number = told.split(whereSeparator: \.isWhitespace).first(where: {
                $0.first == "v" && $0.contains(".")
            })
        else { return [] }
        return number.dropFirst().split(separator: ".").prefix(2).compactMap { Int($0) }
    }()

    /// One of the official tools (`mongodump`, `mongorestore`) beside the server's program; nil
    /// where there is none.
    package static func tool(_ name: String) -> String? {
        guard let program, let slash = program.lastIndex(of: "/") else { return nil }
        let path = String(program[...slash]) + name
        return access(path, X_OK) == 0 ? path : nil
    }

    /// Whether it is of this version or newer.
    package static func isAtLeast(_ major: Int, _ minor: Int) -> Bool {
        !version.lexicographicallyPrecedes([major, minor])
    }

    private static let user: UserIdentity? =
        UserIdentity.isRoot ? try? UserIdentity(named: "nobody") : nil

    /// How a server is begun.
    package struct Options: Sendable {
        /// The set that it is of; nil: a standalone server.
        package var setName: String?
        /// Whether it makes a set of itself alone when it is new.
        package var initiates: Bool
        /// Further arguments of mongod.
        package var arguments: [String]
        /// Users and passwords are asked for.
        package var hasLogin: Bool

        package init(
            setName: String? = "rs0", initiates: Bool = true, arguments: [String] = [],
            hasLogin: Bool = false
        ) {
            self.setName = setName
            self.initiates = initiates
            self.arguments = arguments
            self.hasLogin = hasLogin
        }
    }

    private let options: Options

    /// Makes an empty server and starts it; of a set, waits until it is the primary.
    package static func start(
        _ options: Options = Options()
    ) throws(TidemarkError) -> MongodServer {
        let server = try MongodServer(options)
        try server.start()
        return server
    }

    private init(_ options: Options) throws(TidemarkError) {
        self.options = options
        port = try freePort()
        scratch = try ScratchDirectory(owner: Self.user)
        directory = try scratch.directory("data", owner: Self.user)
        // Members of a set know each other by it.
        if options.hasLogin { try shell("umask 077; echo bGVzc29ucw== > \"$0\"", keyFile) }
    }

    deinit { kill9() }

    package var url: String { "mongodb://127.0.0.1:\(port)" }
    package var logPath: String { scratch.path + "/server.log" }
    private var keyFile: String { scratch.path + "/key" }

    private var arguments: [String] {
        var words = [
            "--dbpath", directory, "--port", "\(port)", "--bind_ip", "127.0.0.1",
            "--nounixsocket", "--wiredTigerCacheSizeGB", "0.25",
        ]
        if let name = options.setName { words += ["--replSet", name] }
        if options.hasLogin { words += ["--auth", "--keyFile", keyFile] }
        return words + options.arguments
    }

    /// Starts the server on its data, and makes it a set the first time.
    package func start(seconds: Double = 120) throws(TidemarkError) {
        guard let program = Self.program else {
            throw TidemarkError(
                .toolMissing, "there is no mongod",
                remedy: "name one by TIDEMARK_TEST_MONGOD, or put it on PATH")
        }
        let process = try Subprocess(
            program, arguments,
            SubprocessOptions(
                directory: scratch.path, user: Self.user, outputFile: logPath,
                signalOnParentDeath: .kill))
        server.update { $0 = process }
        do {
            try eventually("mongod on port \(port) is ready", seconds: seconds) {
                if let status = process.status {
                    throw TidemarkError(.failed, "it ended: \(status)")
                }
                // Before that whoever answers on this port is another server.
                return try listens(process.pid) && isReady()
            }
        } catch {
            kill9()
            throw TidemarkError(
                .failed, "cannot start \(program): \(textFile(logPath).suffix(1500))",
                remedy: "see whether it runs by itself", cause: error)
        }
    }

    /// Whether this very process has the port: its own log says so once it is bound, behind the
    /// line that tells the pid. Of the server itself (`serverStatus`) nobody learns it without a
    /// login.
    private func listens(_ pid: Int32) -> Bool {
        let log = textFile(logPath).lowercased()
        let starts = ["pid=\(pid) ", "\"pid\":\(pid),"]
        guard let start = starts.compactMap({ log.ranges(of: $0).last }).first else { return false }
        return log[start.upperBound...].contains("waiting for connections")
    }

    /// Whether it answers, and, alone in its set, is the primary; a fresh one is told to begin it.
    /// Asks for some seconds, since an interpreter takes longer to start than a server.
    private func isReady() throws(TidemarkError) -> Bool {
        try run(
            """
            import time
            from pymongo.errors import PyMongoError
            member = {"_id": 0, "host": "127.0.0.1:\(port)"}
            begin = {"_id": "\(options.setName ?? "")", "members": [member]}
            settles = \(options.setName != nil && options.initiates ? "True" : "False")
            told = None
            for look in range(200):
                try:
                    told = client.admin.command("isMaster")
                    if told["ismaster"] or not settles: break
                    if "setName" not in told:
                        client.admin.command("replSetInitiate", begin)
                except PyMongoError as error: told = None
                time.sleep(0.02)
            print(told is not None and (told["ismaster"] or not settles))
            """) == "True"
    }

    // MARK: what befalls it

    /// Of the running server.
    package var pid: Int32 { server.read { $0?.pid ?? 0 } }

    /// Stops it in its tracks, as a machine does that is out of reach, until `resume`.
    package func pause() { server.read { $0?.signal(SIGSTOP) } }

    package func resume() { server.read { $0?.signal(SIGCONT) } }

    /// Ends it in good order.
    package func stop(seconds: Double = 60) throws(TidemarkError) {
        guard let process = server.read({ $0 }) else { return }
        process.signal(SIGTERM)
        guard process.wait(seconds: seconds) != nil else {
            throw TidemarkError(.failed, "mongod did not end within \(seconds) s after SIGTERM")
        }
        server.update { $0 = nil }
    }

    /// Throws its data away; it must not run.
    package func wipe() throws(TidemarkError) { try shell("rm -rf \"$0\"/*", directory) }

    /// Copies the data of the server, which must not run, as a backup of the disk would.
    package func keepCopy() throws(TidemarkError) {
        try shell("cp -a \"$0\" \"$0.copy\"", directory)
    }

    /// Puts the copy in place of the data.
    package func putBackCopy() throws(TidemarkError) {
        try shell("rm -rf \"$0\"/* && cp -a \"$0.copy\"/. \"$0\"", directory)
    }

    private func shell(_ script: String, _ path: String) throws(TidemarkError) {
        try Subprocess.run(
            "/bin/sh", ["-c", script, path], SubprocessOptions(user: Self.user), seconds: 60)
    }

    package func kill9() {
        server.update { process in
            process?.signal(SIGKILL)
            process?.wait(seconds: 10)
            process = nil
        }
    }

    @discardableResult
    package func python(
        _ script: String, seconds: Double = 120
    ) throws(TidemarkError) -> String {
        try SecantusServer.python(script, url: url + "/?directConnection=true", seconds: seconds)
    }
}
