import Model
import Platform
import Segments
import Storage
import TestKit
import Testing

@testable import Repository

/// Stored files are read by programs that nobody here wrote.
struct StandardToolsTests {
    @Test(arguments: [(Compression.lz4, "lz4"), (.gzip, "gzip")])
    func `what a base backup stores is read by lz4, gzip and tar`(
        _ compression: Compression, _ program: String
    ) async throws {
        try await offPool {
            let scratch = try ScratchDirectory()
            let store = try LocalStore(path: scratch.path + "/archive", createRoot: true)
            let large = BackupFixture.content(3_500_000, seed: 4)
            var start = BackupFixture.start(configuration: [("/etc/empty.conf", [])])
            start.estimatedBytes = 0
            let source = ScriptedBackupSource(
                start,
                [
                    .file(BackupFixture.base),
                    .content(SmallTar.make([("base/1/large", large), ("PG_VERSION", [49, 53])])),
                    .end(BackupFixture.end),
                ])
            let writer = BaseBackupWriter(
                ArchiveRepository(store), clock: SimulatedTime(),
                options: BaseBackupOptions(compression: compression))
            let backup = try writer.take(
                source, of: BackupFixture.ledger,
                BaseBackupHooks(
                    sourceTime: { () throws(TidemarkError) in BackupFixture.noon },
                    waitArchived: { _ throws(TidemarkError) in }))
            let folder = scratch.path + "/archive/ledger/base/\(backup.id)/"
            let list = try Subprocess.run(
                "/bin/sh",
                ["-c", "\(program) -dc '\(folder)base.tar\(compression.suffix)' | tar tf -"],
                seconds: 60)
            #expect(list.status.isSuccess)
            #expect(list.output == "base/1/large\nPG_VERSION\n")
            let content = try Subprocess.run(
                "/bin/sh",
                [
                    "-c",
                    "\(program) -dc '\(folder)base.tar\(compression.suffix)' "
                        + "| tar xOf - base/1/large | sha256sum",
                ], seconds: 60)
            var digest = StoredDigest()
            digest.update(large)
            #expect(content.output.hasPrefix(digest.finish()))
            let empty = try Subprocess.run(
                "/bin/sh",
                ["-c", "\(program) -dc '\(folder)configuration/empty.conf\(compression.suffix)'"],
                seconds: 60)
            #expect(empty.status.isSuccess)
            #expect(empty.outputBytes.isEmpty)
        }
    }
}
