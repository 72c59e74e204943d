import FoundationEssentials
import Model
import Mongo
import Platform
import TestKit
import Testing

/// A configuration and an archive beside the double, and the program that uses them.
final class ArchiveHarness: SidecarUse, Sendable {
    let double: MongoDouble
    let fixture: MongoFixture
    let entries: [[UInt8]]
    private let scratch: ScratchDirectory
    let folder: String
    let archive: String
    let config: String

    /// Nobody restores as root.
    static let user: UserIdentity? =
        UserIdentity.isRoot ? try? UserIdentity(named: "nobody") : nil
    var user: UserIdentity? { Self.user }

    /// The double has the recorded base, and of the oplog the entry before it.
    ///
    /// - Parameter options: of the source's URL, behind those of the set.
    init(_ name: String, options: String = "") throws {
        fixture = try MongoFixture(name)
        entries = try fixture.oplog()
        double = try MongoDouble(entries: entries, visible: 1)
        scratch = try ScratchDirectory(owner: Self.user)
        folder = scratch.path
        archive = folder + "/archive"
        config = folder + "/tidemark.yml"
        double.take(try fixture.base())
        double.tell(try fixture.changes())
        if !fixture.isExact { passTime(until: fixture.end) }
        try configure(options)
    }

    /// A base that was read while writers ran: when its documents are asked for, everything up to
    /// its recorded end has been written.
    private func passTime(until end: OpTime) {
        double.state.update { state in
            let written = state.entries.prefix { $0.ts <= end }.count
            let databases = Set(state.collections.keys.map(\.database))
            state.meanwhile["find"] = { state, request in
                guard let database = request["$db"]?.string, databases.contains(database),
                    database != "admin"
                else { return }
                state.visible = max(state.visible, written)
            }
        }
    }

    /// Writes the configuration.
    ///
    /// - Parameter login: `user:password@`.
    func configure(_ options: String, login: String = "") throws {
        let url = double.url.replacing("mongodb://", with: "mongodb://" + login)
        let text = """
            repository: { url: "file://\(archive)" }
            sources:
              lessons: { url: "\(url)\(options)", rpo: 1h }
            """
        try Subprocess.run(
            "/bin/sh", ["-c", "cat > \"$0\"", config],
            SubprocessOptions(user: Self.user, input: Array((text + "\n").utf8)), seconds: 20)
    }

    /// An archive that has all recorded entries; its sidecar has ended.
    static func archived(_ name: String) throws -> ArchiveHarness {
        let harness = try ArchiveHarness(name)
        let sidecar = try harness.startWithBackup()
        harness.double.writeAll()
        try harness.waitArchived()
        #expect(try sidecar.terminate().isSuccess)
        return harness
    }

    /// Lets the clocks go on.
    func pause(_ seconds: Double) {
        _ = Monitor(()).wait(seconds: seconds) { _ in Bool?.none }
    }

    /// Waits until everything that the double shows is archived.
    func waitArchived(seconds: Double = 60) throws {
        let end = double.state.read { $0.newest }
        try eventually("optime \(end) is archived", seconds: seconds) {
            try status().archivedPosition.flatMap { OpTime($0) } ?? .zero >= end
        }
    }

    /// Waits until everything committed at or before `moment` is proved.
    func waitProved(_ moment: CommitTime, seconds: Double = 60) throws {
        let bound = moment.text(fractionDigits: 3)
        try eventually("\(bound) is proved", seconds: seconds) {
            try (status().restorableTo ?? "") > bound
        }
    }

    /// Restores into a folder; its path.
    func restore(to target: String, name: String) throws -> String {
        let place = folder + "/" + name
        let done = try tidemark(
            ["restore", "--to", target, "--into", "lessons=" + place], seconds: 90)
        try #require(done.status.isSuccess, "restore said: \(done.errors)")
        return place
    }

    func content(_ path: String) throws -> [UInt8] {
        let file = try File(path, .reading)
        var bytes: [UInt8] = []
        while true {
            let more = try file.read(at: UInt64(bytes.count), 1 << 20)
            if more.isEmpty { return bytes }
            bytes += more
        }
    }

    /// Files of the archive's oplog in order, decompressed by the standard tool.
    func archivedOplog() throws -> [UInt8] {
        let names = try Subprocess.run(
            "find", [archive + "/lessons/oplog", "-type", "f"], seconds: 20
        ).output.split(separator: "\n").map(String.init).sorted()
        var all: [UInt8] = []
        for (number, name) in names.enumerated() {
            let place = try ScratchDirectory()
            let plain = place.path + "/\(number)"
            try Subprocess.run(
                "lz4", ["-dc", name], SubprocessOptions(outputFile: plain), seconds: 60)
            all += try content(plain)
        }
        return all
    }
}
