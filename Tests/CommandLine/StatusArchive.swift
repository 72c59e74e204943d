import Model
import Platform
import Repository
import Storage
import TestKit

/// An archive in a scratch directory with one source, for the program to look at.
final class StatusArchive: Sendable {
    private let scratch: ScratchDirectory
    let path: String

    /// - Parameter isProved: with a base backup and a proof of just now, by a sidecar that was
    ///   stopped; else without anything.
    init(isProved: Bool = false) throws {
        scratch = try ScratchDirectory()
        path = scratch.path + "/archive"
        let repository = ArchiveRepository(try LocalStore(path: path, createRoot: true))
        var random = SeededRandom(seed: 1)
        let now = SystemTimeSource().reading()
        let source = SourceID("ledger")!
        try repository.openOrCreate(now: now.wall, random: &random)
        try repository.putDescriptor(
            SourceDescriptor(
                source: source, kind: .postgres, identity: "7", majorVersion: "15",
                segmentBytes: 16 << 20, created: now.wall))
        guard isProved else { return }
        let line = TimelineID("1")
        try repository.putManifest(
            BaseBackupDescriptor(
                id: "b1", source: source, kind: .postgres, timeline: line, start: 0x100_0000,
                end: 0x100_0000, started: now.wall.advanced(bySeconds: -2),
                finished: now.wall.advanced(bySeconds: -1), bytes: 1, storedBytes: 1, files: [],
                server: ServerFacts(identity: "7", version: "150020"), warnings: []))
        try repository.putWatermark(
            source,
            Watermark(
                timeline: line, state: .stopped, received: 0x100_0000, archived: 0x100_0000,
                restorableTo: now.wall, provedAt: now.wall, written: now.wall, boot: now.boot,
                writtenUptime: now.uptime.nanoseconds, provedUptime: now.uptime.nanoseconds))
    }

    /// Runs `status` with more words, to its end.
    func run(
        _ words: [String], environment: [String: String] = [:]
    ) throws -> CompletedProcess {
        try TidemarkProcess.run(
            ["status", "--repository", "file://" + path] + words, environment: environment,
            seconds: 30)
    }
}
