import Model
import TestKit
import Testing

@testable import Repository

struct ArchiveRepositoryTests {
    private typealias Archive = SmallArchive

    /// Runs `body` on an empty store, off the pool.
    private func onStore(
        _ body: @escaping @Sendable (MemoryStore, ArchiveRepository) throws -> Void
    ) async throws {
        try await offPool {
            let memory = MemoryStore()
            try body(memory, ArchiveRepository(memory))
        }
    }

    private static func create(_ repository: ArchiveRepository) throws -> ArchiveMarker {
        var random = SeededRandom(seed: 3)
        return try repository.openOrCreate(now: BackupFixture.noon, random: &random)
    }

    // MARK: the marker

    @Test func `an archive is made once and opened afterwards`() async throws {
        try await onStore { memory, repository in
            let made = try Self.create(repository)
            #expect(made.format == 1)
            #expect(made.archive.count == 32)
            #expect(made.created == BackupFixture.noon)
            #expect(try repository.open() == made)
            #expect(try Self.create(repository) == made)
            #expect(memory.keys == [Layout.marker])
        }
    }

    @Test func `no marker is unreachable, never an empty archive`() async throws {
        try await onStore { _, repository in
            let error = #expect(throws: TidemarkError.self) { try repository.open() }
            #expect(error?.code == .repositoryUnreachable)
            #expect(error?.message.contains("no tidemark.json") == true)
        }
    }

    @Test func `a place with other files is refused, an empty file system is not`() async throws {
        try await onStore { memory, repository in
            try memory.put(ObjectKey("home/photo.jpg"), [1], .create)
            let error = #expect(throws: TidemarkError.self) { try Self.create(repository) }
            #expect(error?.message.contains("home/photo.jpg") == true)
            #expect(memory.keys.count == 1)
        }
    }

    @Test func `an archive of another format is refused`() async throws {
        try await onStore { memory, repository in
            let future = ArchiveMarker(format: 2, archive: "x", created: BackupFixture.noon)
            try memory.put(Layout.marker, JSONDocument.encode(future), .create)
            let error = #expect(throws: TidemarkError.self) { try repository.open() }
            #expect(error?.message.contains("has format 2") == true)
        }
    }

    @Test func `of two that make an archive at once both use the first`() async throws {
        try await onStore { memory, _ in
            let faulty = FaultyStore(memory)
            let repository = ArchiveRepository(faulty)
            let first = try Self.create(ArchiveRepository(memory))
            // The second one saw nothing yet when it looked.
            faulty.fail(
                .size, .error(TidemarkError(.repositoryUnreachable, "slow")), times: 1)
            #expect(throws: TidemarkError.self) { try Self.create(repository) }
            #expect(try Self.create(repository) == first)
        }
    }

    @Test func `only a place with nothing in it is empty`() async throws {
        try await onStore { memory, repository in
            #expect(try repository.isEmpty())
            try memory.put(ObjectKey("lost+found"), [], .create)
            #expect(try repository.isEmpty())
            try memory.put(ObjectKey("other"), [], .create)
            #expect(try !repository.isEmpty())
        }
        try await onStore { _, repository in
            _ = try Self.create(repository)
            #expect(try !repository.isEmpty())
        }
    }

    @Test func `a writing probe leaves nothing behind, and a full store fails it`() async throws {
        try await onStore { memory, _ in
            let faulty = FaultyStore(memory)
            let repository = ArchiveRepository(faulty)
            try repository.probeWriting(now: BackupFixture.noon)
            #expect(memory.keys.isEmpty)
            faulty.fail(.put, TidemarkError(.repositoryFull, "no space"))
            let error = #expect(throws: TidemarkError.self) {
                try repository.probeWriting(now: BackupFixture.noon)
            }
            #expect(error?.code == .repositoryFull)
        }
    }

    // MARK: documents

    @Test func `what does not exist is nil, what is too large is damage`() async throws {
        try await onStore { memory, repository in
            #expect(try repository.watermark(Archive.source) == nil)
            #expect(try repository.descriptor(Archive.source) == nil)
            #expect(try repository.point(Archive.source, "none") == nil)
            #expect(try repository.gaps(Archive.source).isEmpty)
            #expect(try repository.backups(Archive.source).isEmpty)
            #expect(try repository.sources().isEmpty)
            let key = ObjectKey("large")
            try memory.put(key, [UInt8](repeating: 0, count: 101), .create)
            #expect(try repository.bytes(key, limit: 101)?.count == 101)
            let error = #expect(throws: TidemarkError.self) {
                try repository.bytes(key, limit: 100)
            }
            #expect(error?.code == .archiveDamaged)
        }
    }

    @Test func `a source's descriptor is written once`() async throws {
        try await onStore { _, repository in
            try repository.putDescriptor(Archive.descriptor)
            try repository.putDescriptor(Archive.descriptor)
            var other = Archive.descriptor
            other.identity = "7002"
            let error = #expect(throws: TidemarkError.self) { try repository.putDescriptor(other) }
            #expect(error?.code == .contentConflict)
            #expect(try repository.descriptor(Archive.source) == Archive.descriptor)
            other.source = SourceID("archive")!
            try repository.putDescriptor(other)
            #expect(try repository.sources().map(\.source.name) == ["archive", "ledger"])
        }
    }

    @Test func `a restore point of a known name elsewhere is refused`() async throws {
        try await onStore { _, repository in
            var point = RestorePoint(
                name: "release/1", timeline: Archive.one, position: 5, time: BackupFixture.noon)
            try repository.putPoint(Archive.source, point)
            try repository.putPoint(Archive.source, point)
            #expect(try repository.point(Archive.source, "release/1") == point)
            #expect(try repository.points(Archive.source) == [point])
            point.position = 6
            let error = #expect(throws: TidemarkError.self) {
                try repository.putPoint(Archive.source, point)
            }
            #expect(error?.code == .contentConflict)
        }
    }

    @Test func `a gap is recorded once, and the watermark is the newest`() async throws {
        try await onStore { _, repository in
            var gap = Gap(
                timeline: Archive.one, first: 5, last: 9, found: BackupFixture.noon, reason: "a")
            try repository.putGap(Archive.source, Archive.style, gap)
            gap.found = gap.found.advanced(bySeconds: 60)
            try repository.putGap(Archive.source, Archive.style, gap)
            #expect(try repository.gaps(Archive.source).map(\.found) == [BackupFixture.noon])
        }
    }

    // MARK: base backups

    @Test func `a folder without a manifest is no base backup and is swept under the lease`()
        async throws
    {
        try await offPool {
            let archive = try SmallArchive()
            let known = try archive.repository.backups(Archive.source)
            let leftover = ObjectKey("ledger/base/20260101T000000Z-1-0000000000000001/base.tar.lz4")
            try archive.memory.put(leftover, [1], .create)
            // A manifest deeper down is a file of the leftover, not its manifest.
            try archive.memory.put(
                ObjectKey(
                    "ledger/base/20260101T000000Z-1-0000000000000001/configuration/manifest.json"),
                [1], .create)
            #expect(try archive.repository.backups(Archive.source) == known)
            let lease = try ArchiveLease.acquire(
                archive.store, Archive.source, .baseBackup, archive.time)
            let swept = try archive.repository.sweepBackups(Archive.source, under: lease)
            #expect(swept == ["20260101T000000Z-1-0000000000000001"])
            #expect(try archive.memory.size(Layout.backupLease(Archive.source)) != nil)
            lease.release()
            #expect(try archive.repository.backups(Archive.source) == known)
            #expect(try archive.verify().problems == [])
        }
    }

    @Test func `a removed base backup loses its manifest first`() async throws {
        try await offPool {
            let archive = try SmallArchive()
            let backup = try archive.repository.backups(Archive.source)[0]
            // The store goes away after the first removal.
            archive.store.fail(
                .delete, .error(TidemarkError(.repositoryUnreachable, "gone")), times: 1,
                skipping: 1)
            #expect(throws: TidemarkError.self) {
                try archive.repository.removeBackup(Archive.source, backup.id)
            }
            #expect(try archive.repository.backups(Archive.source).isEmpty)
            try archive.repository.removeBackup(Archive.source, backup.id)
            #expect(try archive.memory.list(Layout.backups(Archive.source)).isEmpty)
        }
    }
}
