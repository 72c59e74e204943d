import Catalog
import Model
import Redis
import Repository
import Testing

@testable import Recovery

/// Base backups of which a file is missing or cut short promise nothing and block nothing.
struct BrokenBackupTests {
    /// A second base backup behind twenty commands, with one file.
    private static func archive() throws -> RedisArchive {
        let archive = try RedisArchive()
        try archive.write((1...40).map { Double($0) })
        try put(archive, "b1", behind: 20)
        return archive
    }

    private static func put(_ archive: RedisArchive, _ id: String, behind commands: Int) throws {
        let place = UInt64(commands) * RedisArchive.size
        let moment = RedisArchive.at(Double(commands) + 0.5)
        try archive.repository.store.put(key(id), Array("data".utf8), .create)
        try archive.repository.putManifest(
            BaseBackupDescriptor(
                id: id, source: RedisArchive.source, kind: .redis, timeline: RedisArchive.parent,
                start: place, end: place, started: moment, finished: moment, bytes: 4,
                storedBytes: 4,
                files: [
                    StoredFile(
                        name: "dump.rdb.lz4", role: .data, origin: nil, location: nil, bytes: 4,
                        storedBytes: 4, storedSHA256: "")
                ], server: ServerFacts(identity: "aaaa", version: "7.0.15"), warnings: []))
    }

    private static func key(_ id: String) -> ObjectKey {
        Layout.backup(RedisArchive.source, id) / "dump.rdb.lz4"
    }

    private static func snapshot(_ archive: RedisArchive) throws -> CatalogSnapshot {
        try CatalogReader(archive.repository, RedisReplayer()).read(
            RedisArchive.source, withWindows: true)
    }

    @Test func `an older one is taken for one that lacks a file, with a warning`() throws {
        let archive = try Self.archive()
        #expect(try archive.plan(.latest).backup.id == "b1")
        #expect(try archive.plan(.latest).warnings == [])
        for isCut in [true, false] {
            try archive.repository.store.delete(Self.key("b1"))
            if isCut { try archive.repository.store.put(Self.key("b1"), [1], .create) }
            let plan = try archive.plan(.latest)
            #expect(plan.backup.id == "b0")
            #expect(plan.warnings.contains { $0.contains("b1 is passed over for an older one") })
            let words = isCut ? "dump.rdb.lz4 has 1 bytes, and 4" : "dump.rdb.lz4 is missing"
            #expect(plan.warnings.contains { $0.contains(words) }, "\(plan.warnings)")
            #expect(try archive.plan(.time(RedisArchive.at(30))).backup.id == "b0")
            // One behind the target would not have been taken anyway.
            #expect(try archive.plan(.time(RedisArchive.at(10))).warnings == [])
        }
    }

    @Test func `windows promise only what whole ones reach`() throws {
        let archive = try Self.archive()
        try archive.repository.removeBackup(RedisArchive.source, "b0")
        try Self.put(archive, "b2", behind: 30)
        #expect(try Self.snapshot(archive).windows().first?.from == RedisArchive.at(20.5))
        try archive.repository.store.delete(Self.key("b1"))
        let cut = try Self.snapshot(archive)
        #expect(cut.windows().first?.from == RedisArchive.at(30.5))
        #expect(cut.brokenBackups.map(\.backup.id) == ["b1"])
        let early = try #require(throws: TidemarkError.self) {
            try archive.plan(.time(RedisArchive.at(25)))
        }
        #expect(early.code == .targetOutsideWindow)
        #expect(early.remedy.contains("base backup b1 would reach further back"), "\(early)")
        try archive.repository.store.delete(Self.key("b2"))
        #expect(try Self.snapshot(archive).windows().isEmpty)
        let none = try #require(throws: TidemarkError.self) { try archive.plan(.latest) }
        #expect(none.code == .archiveIncomplete)
        #expect(none.message.contains("no base backup of cache is whole"), "\(none)")
    }
}
