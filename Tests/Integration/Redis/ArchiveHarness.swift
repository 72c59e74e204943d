import FoundationEssentials
import Model
import Platform
import TestKit
import Testing

/// A configuration and an archive beside a test server, and the program that uses them.
final class ArchiveHarness: SidecarUse, Sendable {
    let server: RedisServer
    private let scratch: ScratchDirectory
    let folder: String
    let archive: String
    let config: String
    private let compression: String
    private let copies = Monitor<[String]>([])

    /// Nobody restores as root.
    static let user: UserIdentity? =
        UserIdentity.isRoot ? try? UserIdentity(named: "redis") : nil
    var user: UserIdentity? { Self.user }

    /// - Parameter lines: more of the configuration, whole lines.
    init(
        _ server: RedisServer, url: String? = nil, compression: String = "lz4",
        lines: [String] = []
    ) throws {
        self.server = server
        self.compression = compression
        scratch = try ScratchDirectory(owner: Self.user)
        folder = scratch.path
        archive = folder + "/archive"
        config = folder + "/tidemark.yml"
        try write([("sessions", url ?? server.url)], lines)
    }

    /// Writes the configuration anew.
    func write(
        _ sources: [(name: String, url: String)], _ lines: [String] = [], listen: String = "none"
    ) throws {
        let text =
            ([
                "repository: { url: \"file://\(archive)\", compression: \(compression) }",
                "sources:",
            ]
            + sources.map { "  \($0.name): { url: \"\($0.url)\", rpo: 1h }" } + lines
            + ["monitoring: { listen: \"\(listen)\" }"])
            .joined(separator: "\n") + "\n"
        try Subprocess.run(
            "/bin/sh", ["-c", "cat > \"$0\"", config],
            SubprocessOptions(user: Self.user, input: Array(text.utf8)), seconds: 20)
    }

    /// The sidecar answers on a port.
    func watch(_ port: Int) throws {
        try write(
            [("sessions", server.url)], ["segment: { age: 10s }"], listen: "127.0.0.1:\(port)")
    }

    deinit {
        for url in copies.read({ $0 }) {
            // One that a test has stopped already does not answer.
            _ = try? Subprocess.run("redis-cli", ["-u", url, "SHUTDOWN", "NOSAVE"], seconds: 20)
        }
    }

    // MARK: the program

    /// The timeline, once a watermark tells it.
    func timeline() throws -> String {
        try eventually("a watermark is there") { try status().timeline }
    }

    /// The newest base backup's id.
    func backup() throws -> String {
        try eventually("a base backup is there") { try status().lastBackup?.id }
    }

    /// Archives, stops while more is written than the server's backlog of 16 kB holds, and goes on:
    /// the sidecar that has mended the gap by a base backup, and where the gap begins.
    func startBehindGap() throws -> (sidecar: TidemarkProcess, lost: UInt64) {
        try startWithBackup().terminate()
        let lost = try server.offset()
        let value = String(repeating: "v", count: 1000)
        try server.pipe((0..<100).flatMap { resp(["SET", "k\($0)", value]) })
        let sidecar = try start()
        try sidecar.waitForLog("base backup finished", seconds: 90)
        return (sidecar, lost)
    }

    // MARK: moments

    /// The server's clock, to the microsecond.
    func moment() throws -> CommitTime {
        let parts = try server.command("TIME").split(separator: "\n").compactMap { Int64($0) }
        guard parts.count == 2 else { throw TidemarkError(.failed, "TIME gave no time") }
        return CommitTime(microseconds: parts[0] * 1_000_000 + parts[1])
    }

    /// Lets the clocks go on, so that what follows lies behind a moment for certain.
    func pause(_ seconds: Double = 0.05) {
        _ = Monitor(()).wait(seconds: seconds) { _ in Bool?.none }
    }

    /// Waits until everything committed at or before `moment` is proved.
    func waitProved(_ moment: CommitTime, seconds: Double = 60) throws {
        let bound = moment.text(fractionDigits: 3)
        try eventually("\(bound) is proved", seconds: seconds) {
            try (status().restorableTo ?? "") > bound
        }
    }

    /// Waits until everything that the server has done is archived.
    func waitArchived(seconds: Double = 60) throws {
        let end = try server.offset()
        try eventually("offset \(end) is archived", seconds: seconds) {
            try status().archivedPosition.flatMap { UInt64($0) } ?? 0 >= end
        }
    }

    // MARK: copies

    /// Restores and starts the copy; its URL. It is stopped at the end of the test.
    func restore(
        to target: String, name: String = "copy", _ words: [String] = [],
        _ comment: Comment? = nil
    ) throws -> String {
        let done = try tidemark(
            ["restore", "--to", target, "--into", folder + "/" + name, "--start"] + words,
            seconds: 150)
        try #require(
            done.status.isSuccess, "restore said: \(done.errors) (\(comment ?? ""))")
        let url = done.output.split(separator: "\n").last.map(String.init) ?? ""
        copies.update { $0.append(url) }
        return url
    }

    /// Stops a copy.
    func stop(_ url: String) throws {
        copies.update { $0.removeAll { $0 == url } }
        try Subprocess.run("redis-cli", ["-u", url, "SHUTDOWN", "NOSAVE"], seconds: 20)
    }

    /// Restores, and loads the copy as a replica of nobody: nothing expires in it, and DEBUG is
    /// allowed.
    func loaded(
        to target: String, name: String = "loaded", _ words: [String] = [], version: String? = nil
    ) throws -> RedisServer {
        let place = folder + "/" + name
        let done = try tidemark(
            ["restore", "--to", target, "--into", "sessions=" + place] + words, seconds: 150)
        try #require(done.status.isSuccess, "restore said: \(done.errors)")
        return try RedisServer.start(
            ["dir \(place)", "appendonly yes", "replicaof 127.0.0.1 1"], version: version)
    }

    /// One command at a restored server; the answer without its last line end.
    @discardableResult
    func ask(_ url: String, _ words: String...) throws -> String {
        let done = try Subprocess.run("redis-cli", ["-u", url, "-e"] + words, seconds: 30)
        guard done.status.isSuccess else {
            throw TidemarkError(.failed, "\(words): \(done.output)\(done.errors)")
        }
        return done.output.hasSuffix("\n") ? String(done.output.dropLast()) : done.output
    }

    /// Names of files below a folder of the archive, sorted.
    func files(_ below: String) throws -> [String] {
        try Subprocess.run("find", [archive + "/" + below, "-type", "f"], seconds: 20)
            .output.split(separator: "\n").map(String.init).sorted()
    }
}
