import Model
import Mongo
import Platform
import TestKit

/// A configuration and an archive beside a live server, whichever it is, and the program that uses
/// them.
final class LiveHarness: SidecarUse, Sendable {
    let server: any LiveMongo
    private let scratch: ScratchDirectory
    let folder: String
    let archive: String
    let config: String
    var user: UserIdentity? { ArchiveHarness.user }

    /// - Parameters:
    ///   - options: of the source's URL, behind the `?`.
    ///   - settings: what of the server is otherwise than usual.
    init(
        _ kind: LiveMongoKind, _ options: String = "", _ settings: [LiveMongoKind.Setting] = []
    ) throws {
        server = try kind.start(settings)
        scratch = try ScratchDirectory(owner: ArchiveHarness.user)
        folder = scratch.path
        archive = folder + "/archive"
        config = folder + "/tidemark.yml"
        try configure(options)
    }

    /// Writes the configuration.
    func configure(_ options: String) throws {
        let text = """
            repository: { url: "file://\(archive)" }
            sources:
              lessons: { url: "\(server.url)/?\(options)", rpo: 1h }
            """
        try Subprocess.run(
            "/bin/sh", ["-c", "cat > \"$0\"", config],
            SubprocessOptions(user: user, input: Array((text + "\n").utf8)), seconds: 20)
    }

    /// Events of the archive, without our own marks.
    func events() throws -> [BSONDocument] {
        try archived().filter { $0["operationType"]?.string != "tidemark progress" }
    }

    /// Waits until everything committed by now is proved.
    func waitProved(seconds: Double = 60) throws {
        let bound = SystemTimeSource().wall().text(fractionDigits: 3)
        do {
            try eventually("\(bound) is proved", seconds: seconds) {
                try (status().restorableTo ?? "") > bound
            }
        } catch {
            let told = try tidemark(["status", "--json"])
            throw TidemarkError(
                .failed, "\(error); \(told.output)\(told.errors)",
                remedy: "see why the archive does not come to the source's end", cause: error)
        }
    }

    /// Restores into a folder; the documents of `name` there.
    func restore(
        to target: String, name: String, file: String
    ) throws -> (folder: String, stream: [BSONDocument]) {
        let place = folder + "/" + name
        let done = try tidemark(
            ["restore", "--to", target, "--into", "lessons=" + place], seconds: 90)
        guard done.status.isSuccess else {
            throw TidemarkError(.failed, "restore said: \(done.errors)")
        }
        return (place, try documents(place + "/" + file))
    }

    func documents(_ path: String) throws -> [BSONDocument] {
        let file = try File(path, .reading)
        var bytes: [UInt8] = []
        while true {
            let more = try file.read(at: UInt64(bytes.count), 1 << 20)
            if more.isEmpty { break }
            bytes += more
        }
        return try MongoFixture.documents(bytes).map { try BSONDocument($0) }
    }

    /// Content of the archive's segments in order, decompressed by the standard tool.
    func archived() throws -> [BSONDocument] {
        let names = try Subprocess.run(
            "find", [archive + "/lessons/oplog", "-type", "f"], seconds: 20
        ).output.split(separator: "\n").map(String.init).sorted()
        var all: [BSONDocument] = []
        for (number, name) in names.enumerated() {
            let place = try ScratchDirectory()
            let plain = place.path + "/\(number)"
            try Subprocess.run(
                "lz4", ["-dc", name], SubprocessOptions(outputFile: plain), seconds: 60)
            all += try documents(plain)
        }
        return all
    }
}
