import Glibc
import Model
import Mongo
import Platform
import TestKit
import Testing

/// A configuration and an archive beside real mongods, and the program that uses them.
final class MongodHarness: SidecarUse, Sendable {
    private let scratch: ScratchDirectory
    let folder: String
    let config: String
    var archive: String { folder + "/archive" }
    var user: UserIdentity? { ArchiveHarness.user }

    /// Whether there is a mongod: Debian has none, see `MongodServer`.
    static var isThere: Bool { MongodServer.program != nil }

    /// `TIDEMARK_CRASH_SEED` repeats a run's pauses.
    static let seed =
        getenv("TIDEMARK_CRASH_SEED").flatMap { UInt64(String(cString: $0)) }
        ?? UInt64.random(in: 1...1_000_000_000)

    /// `TIDEMARK_CRASH_ROUNDS`, else so many.
    static func rounds(_ usual: Int) -> Int {
        getenv("TIDEMARK_CRASH_ROUNDS").flatMap { Int(String(cString: $0)) } ?? usual
    }

    private let listen: String

    /// - Parameter url: of the source `lessons`.
    init(url: String, listen: String = "none") throws {
        self.listen = listen
        scratch = try ScratchDirectory(owner: ArchiveHarness.user)
        folder = scratch.path
        config = folder + "/tidemark.yml"
        try write(url: url)
    }

    /// Writes the configuration anew.
    func write(url: String) throws {
        let text = """
            repository: { url: "file://\(archive)" }
            sources:
              lessons: { url: "\(url)", rpo: 1h }
            monitoring: { listen: "\(listen)" }
            """
        try Subprocess.run(
            "/bin/sh", ["-c", "cat > \"$0\"", config],
            SubprocessOptions(user: user, input: Array((text + "\n").utf8)), seconds: 20)
    }

    /// What a server has: of each collection its options, its indexes and the hash of its documents
    /// as the server itself takes it; views.
    static func state(_ server: MongodServer) throws -> String {
        try server.run(
            """
            for database in sorted(client.list_database_names()):
                if database in ("admin", "config", "local"): continue
                hashes = client[database].command("dbHash")["collections"]
                found = sorted(client[database].list_collections(), key=lambda one: one["name"])
                for facts in found:
                    name = facts["name"]
                    if name.startswith("system.") and name != "system.js": continue
                    options = sorted((x, str(y)) for x, y in facts["options"].items())
                    indexes = []
                    if facts["type"] == "collection":
                        indexes = sorted(str(x) for x in client[database][name].list_indexes())
                    print(database, name, facts["type"], options, hashes.get(name), indexes)
            """)
    }

    /// Expects that a server has what another one had; names what it has otherwise.
    static func expectSame(
        _ server: MongodServer, as wanted: String, _ what: String = "",
        location: SourceLocation = #_sourceLocation
    ) throws {
        let found = try state(server).split(separator: "\n")
        let all = wanted.split(separator: "\n")
        let more = found.filter { !all.contains($0) }.map { "has " + $0 }
        let less = all.filter { !found.contains($0) }.map { "lacks " + $0 }
        #expect(more + less == [], "\(what): \(more) \(less)", sourceLocation: location)
    }

    /// Waits until everything committed by now is proved.
    func waitProved(seconds: Double = 60) throws {
        let bound = SystemTimeSource().wall().text(fractionDigits: 3)
        do {
            try eventually("\(bound) is proved", seconds: seconds) {
                try (status().restorableTo ?? "") > bound
            }
        } catch {
            let told = try tidemark(["status"])
            throw TidemarkError(
                .failed, "\(error); \(told.output)\(told.errors)",
                remedy: "see why the archive does not come to the source's end", cause: error)
        }
    }

    /// Restores into an empty server; what was said.
    @discardableResult
    func restore(
        to target: String, into server: MongodServer, _ words: [String] = []
    ) throws -> String {
        try expect(
            0, ["restore", "--to", target, "--into", "lessons=" + server.url] + words)
    }

    /// Whether the archive's segments, decompressed by the standard tool, are what the server's own
    /// oplog has between their two ends, byte for byte.
    func hasEntries(of server: MongodServer) throws -> Bool {
        let told = try server.run(
            """
            from bson.raw_bson import RawBSONDocument
            options = bson.codec_options.CodecOptions(document_class=RawBSONDocument)
            have = open("\(archivedOplog())", "rb").read()
            entries = bson.decode_all(have, options)
            wanted = client.local.get_collection("oplog.rs", options).find(
                {"ts": {"$gte": entries[0]["ts"], "$lte": entries[-1]["ts"]}}).sort("$natural", 1)
            print(have == b"".join(x.raw for x in wanted) and len(entries) > 20)
            """)
        return told == "True"
    }

    /// Content of the archive's oplog in order: a file's path.
    private func archivedOplog() throws -> String {
        let plain = folder + "/plain.bson"
        let script = "find \"$0\" -type f | sort | xargs -n 1 lz4 -dc"
        let done = try Subprocess.run(
            "/bin/sh", ["-c", script, archive + "/lessons/oplog"],
            SubprocessOptions(outputFile: plain), seconds: 60)
        #expect(done.status.isSuccess, "\(done.errors)")
        return plain
    }
}

/// Clients that write until they are told to end, whatever happens to the server.
///
/// Four at a time, each document with an `_id` of its own; which of them the server has acknowledged
/// is told at the end.
final class MongodLoad: Sendable {
    private let scratch: ScratchDirectory
    private let work: DedicatedThread<String>
    private var stop: String { scratch.path + "/stop" }
    /// Where the acknowledged `_id`s stand, as JSON.
    var acknowledged: String { scratch.path + "/acknowledged" }

    /// - Parameters:
    ///   - run: runs the script, on a server or on a set.
    ///   - first: the first `_id`; each load of a test has its own.
    init(
        first: Int = 0,
        _ run: @escaping @Sendable (String) throws(TidemarkError) -> String
    ) throws {
        scratch = try ScratchDirectory()
        let script = """
            import json, os, threading, time
            from pymongo.errors import PyMongoError
            concern = pymongo.WriteConcern("majority", wtimeout=5000)
            done = []
            def write(number):
                place = client.load.documents.with_options(write_concern=concern)
                key = \(first) + number
                while not os.path.exists("\(scratch.path)/stop"):
                    try:
                        place.insert_one({"_id": key, "pad": "x" * (key % 700)})
                        done.append(key)
                        if key % 5 == 0:
                            place.update_one({"_id": key}, {"$push": {"seen": key}})
                        if key % 50 == 1: client.load.last.replace_one({"_id": number}, {"k": key})
                    except PyMongoError: time.sleep(0.02)
                    key += 4
            threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
            for one in threads: one.start()
            for one in threads: one.join()
            with open("\(scratch.path)/acknowledged", "w") as file: json.dump(done, file)
            print(len(done))
            """
        work = DedicatedThread("load") { () throws(TidemarkError) in try run(script) }
    }

    /// Tells them to end; how many writes were acknowledged.
    func end() throws -> Int {
        try Subprocess.run("touch", [stop], seconds: 10)
        return Int(try work.join()) ?? 0
    }

    /// How many acknowledged documents a server lacks.
    func missing(in server: MongodServer) throws -> Int {
        let told = try server.run(
            """
            import json
            wanted = set(json.load(open("\(acknowledged)")))
            have = set(x["_id"] for x in client.load.documents.find({}, {"_id": 1}))
            print(len(wanted - have))
            """)
        return try #require(Int(told))
    }
}
