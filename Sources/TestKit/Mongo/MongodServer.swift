package import Model
import Platform
import Glibc

/// A real mongod in a scratch directory, as a replica set of one member on a free port of
/// 127.0.0.1; killed when the object goes and when the test process dies.
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

    /// Whether it is of this version or newer.
    package static func isAtLeast(_ major: Int, _ minor: Int) -> Bool {
        !version.lexicographicallyPrecedes([major, minor])
    }

    private static let user: UserIdentity? =
        UserIdentity.isRoot ? try? UserIdentity(named: "nobody") : nil

    /// Makes an empty set and waits until it has a primary.
    package static func start() throws(TidemarkError) -> MongodServer {
        let server = try MongodServer()
        try server.start()
        return server
    }

    private init() throws(TidemarkError) {
        port = try freePort()
        scratch = try ScratchDirectory(owner: Self.user)
        directory = try scratch.directory("data", owner: Self.user)
    }

    deinit { kill9() }

    package var url: String { "mongodb://127.0.0.1:\(port)" }
    package var logPath: String { scratch.path + "/server.log" }

    /// Starts the server on its data, and makes it a set the first time.
    package func start(seconds: Double = 120) throws(TidemarkError) {
        guard let program = Self.program else {
            throw TidemarkError(
                .toolMissing, "there is no mongod",
                remedy: "name one by TIDEMARK_TEST_MONGOD, or put it on PATH")
        }
        let process = try Subprocess(
            program,
            [
                "--dbpath", directory, "--port", "\(port)", "--bind_ip", "127.0.0.1",
                "--replSet", "rs0", "--nounixsocket", "--wiredTigerCacheSizeGB", "0.25",
            ],
            SubprocessOptions(
                directory: scratch.path, user: Self.user, outputFile: logPath,
                signalOnParentDeath: .kill))
        server.update { $0 = process }
        do {
            try eventually("mongod on port \(port) is a primary", seconds: seconds) {
                if let status = process.status {
                    throw TidemarkError(.failed, "it ended: \(status)")
                }
                return try isPrimary()
            }
        } catch {
            kill9()
            throw TidemarkError(
                .failed, "cannot start \(program): \(textFile(logPath).suffix(1500))",
                remedy: "see whether it runs by itself", cause: error)
        }
    }

    /// Whether it answers as one; a fresh one is told to begin a set.
    private func isPrimary() throws(TidemarkError) -> Bool {
        try run(
            """
            from pymongo.errors import PyMongoError
            member = {"_id": 0, "host": "127.0.0.1:\(port)"}
            try:
                told = client.admin.command("isMaster")
                if "setName" not in told:
                    client.admin.command("replSetInitiate", {"_id": "rs0", "members": [member]})
                print(bool(told.get("ismaster")))
            except PyMongoError as error:
                print("not yet:", error)
            """) == "True"
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
        try SecantusServer.python(script, url: url, seconds: seconds)
    }
}
