import Glibc
import Model
import Platform
import Repository
import Storage
import TestKit

/// A server, its archive, and the sidecar between them.
final class RestoreFixture: Sendable {
    static let source = SourceID("ledger")!
    let server: PostgresServer
    let repository: String
    let archive: ArchiveRepository
    let configuration: String
    private let sidecar = Monitor<TidemarkProcess?>(nil)

    /// Starts all three and waits for the first base backup. Segments of 1 MiB make many of them.
    init(_ options: PostgresOptions = .init(segmentMebibytes: 1)) throws {
        server = try PostgresServer.start(options)
        repository = try server.makeDirectory("repository")
        archive = ArchiveRepository(
            try FolderURL("file://" + repository).open(createRoot: false))
        configuration = repository + "/../tidemark.yml"
        try TextFile.write(
            configuration,
            """
            repository:
              url: file://\(repository)
            flush: { interval: 100ms }
            sources:
              ledger: { url: "\(server.url())" }

            """)
        try startSidecar()
        try eventually("the first base backup", seconds: 60) { try !backups().isEmpty }
    }

    func startSidecar() throws {
        let process = try TidemarkProcess(
            ["--config", configuration, "run"], user: PostgresTools.user)
        sidecar.update { $0 = process }
    }

    func stopSidecar() {
        sidecar.update { process in
            process?.kill9()
            process = nil
        }
    }

    /// An archive with one small table in it, whose sidecar is stopped.
    static func archived() throws -> RestoreFixture {
        let fixture = try RestoreFixture()
        _ = try fixture.sql("create table t as select 7 as i")
        try fixture.settle()
        fixture.stopSidecar()
        return fixture
    }

    func backups() throws -> [BaseBackupDescriptor] { try archive.backups(Self.source) }

    func sql(_ text: String) throws -> String { try server.psql(text) }

    /// The server's clock, in the form of a target.
    func now() throws -> String {
        try sql(
            """
            select to_char(clock_timestamp() at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
            """)
    }

    /// Waits until everything written so far is archived and proved.
    func settle() throws {
        let moment = CommitTime(try now())!
        try eventually("the archive is proved", seconds: 60) {
            guard let proved = try archive.watermark(Self.source)?.restorableTo else {
                return false
            }
            return proved >= moment
        }
    }

    /// Runs `tidemark restore` as the server's user.
    func restore(
        to target: String, into folder: String, _ more: [String] = []
    ) throws -> CompletedProcess {
        try TidemarkProcess.run(
            ["restore", "--repository", "file://" + repository, "--to", target, "--into", folder]
                + more, user: PostgresTools.user, seconds: 180)
    }

    /// Restores, starts, asks, and stops again.
    func answer(
        _ query: String, at target: String, _ more: [String] = []
    ) throws -> (done: CompletedProcess, answer: String) {
        let folder = try server.makeDirectory("restored-\(Self.number())")
        let done = try restore(to: target, into: folder, more + ["--start"])
        let url = done.output.split(separator: "\n").first.map(String.init) ?? ""
        guard done.status.isSuccess, !url.isEmpty else { return (done, "") }
        defer { stop(folder + "/ledger") }
        let answer = try server.run("psql", ["-XAtq", "-c", query, url + "?user=postgres"]).output
        return (done, answer.split(separator: "\n").joined(separator: "\n"))
    }

    func stop(_ data: String) {
        _ = try? server.run("pg_ctl", ["stop", "-m", "immediate", "-D", data])
    }

    private static let counter = Monitor(0)
    private static func number() -> Int {
        counter.update {
            $0 += 1
            return $0
        }
    }
}

extension CompletedProcess {
    var exitStatus: Int32 {
        if case .exited(let status) = status { status } else { -1 }
    }
}

/// Small files of the tests.
enum TextFile {
    static func write(_ path: String, _ text: String) throws(TidemarkError) {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        defer { close(file) }
        let bytes = Array(text.utf8)
        guard file >= 0, Glibc.write(file, bytes, bytes.count) == bytes.count else {
            throw TidemarkError(.failed, "cannot write \(path)")
        }
    }

    static func read(_ path: String) -> String {
        let file = open(path, O_RDONLY)
        guard file >= 0 else { return "" }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = Glibc.read(file, &bytes, bytes.count)
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }

    /// Inverts one bit in the middle of a file.
    static func flipBit(_ path: String, at fraction: Double = 0.5) {
        let file = open(path, O_RDWR)
        defer { close(file) }
        let place = off_t(Double(lseek(file, 0, SEEK_END)) * fraction)
        var byte: UInt8 = 0
        pread(file, &byte, 1, place)
        byte ^= 1
        pwrite(file, &byte, 1, place)
    }
}

extension TextFile {
    static func size(_ path: String) -> Int {
        var facts = stat()
        return stat(path, &facts) == 0 ? Int(facts.st_size) : -1
    }
}
