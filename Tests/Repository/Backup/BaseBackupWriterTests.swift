import Model
import Platform
import Segments
import TestKit
import Testing

@testable import Repository

struct BaseBackupWriterTests {
    private let memory = MemoryStore()
    private let store: FaultyStore
    private typealias Fixture = BackupFixture

    init() { store = FaultyStore(memory) }

    /// Takes a base backup on a thread of its own.
    private func take(
        _ makeSource: @escaping @Sendable () -> ScriptedBackupSource,
        compression: Compression = .lz4,
        shouldStop: @escaping @Sendable () -> Bool = { false },
        waitArchived: @escaping @Sendable (PositionRange) throws(TidemarkError) -> Void = { _ in }
    ) async throws -> BaseBackupDescriptor {
        let store = store
        return try await DedicatedThread("test") { () throws(TidemarkError) in
            let source = makeSource()
            defer { precondition(source.isClosed, "the source is closed whatever happens") }
            let writer = BaseBackupWriter(
                ArchiveRepository(store), clock: Fixture.Clock(),
                options: BaseBackupOptions(workers: 2, compression: compression))
            let hooks = BaseBackupHooks(
                shouldStop: shouldStop,
                sourceTime: { () throws(TidemarkError) in Fixture.noon.advanced(bySeconds: 7) },
                waitArchived: waitArchived)
            return try writer.take(source, of: Fixture.ledger, hooks)
        }.value()
    }

    private func stored(_ name: String) -> [UInt8]? {
        memory.bytes(Layout.backup(Fixture.ledger, "20261122T120000Z-1-0000000003000060") / name)
    }

    @Test func `one of the same second and position has a name of its own, and takes none away`()
        async throws
    {
        let source = { @Sendable in ScriptedBackupSource(Fixture.start(), [.end(Fixture.end)]) }
        let first = try await take(source)
        let second = try await take(source)
        #expect(first.id != second.id)
        await #expect(throws: TidemarkError.self) {
            try await take(
                source,
                waitArchived: { (_) throws(TidemarkError) in
                    throw TidemarkError(.failed, "no", remedy: "no")
                })
        }
        let left = try ArchiveRepository(memory).backups(Fixture.ledger).map(\.id)
        #expect(left == [first.id, second.id])
    }

    @Test(arguments: Compression.allCases)
    func `every file comes back byte for byte, whatever its size`(
        _ compression: Compression
    ) async throws {
        let sizes = [0, 1, 1 << 20, (1 << 20) + 1, 5 << 20, 3_333_333]
        let backup = try await take(
            {
                var steps: [ScriptedBackupSource.Step] = []
                for (number, size) in sizes.enumerated() {
                    let name = "\(number).tar"
                    steps.append(
                        .file(
                            BaseBackupFile(
                                name: name, role: .tablespace, origin: "\(number)", location: "/x"))
                    )
                    let content = Fixture.content(size, seed: UInt64(number))
                    var rest = content[...]
                    while !rest.isEmpty {
                        steps.append(.content(Array(rest.prefix(65_537 * (number + 1)))))
                        rest = rest.dropFirst(65_537 * (number + 1))
                    }
                }
                return ScriptedBackupSource(Fixture.start(), steps + [.end(Fixture.end)])
            }, compression: compression)
        #expect(backup.files.map(\.bytes) == sizes.map(UInt64.init))
        #expect(backup.bytes == sizes.map(UInt64.init).reduce(0, +))
        for (number, size) in sizes.enumerated() {
            let bytes = try #require(stored("\(number).tar\(compression.suffix)"))
            #expect(UInt64(bytes.count) == backup.files[number].storedBytes)
            #expect(
                try Fixture.decoded(bytes, compression)
                    == Fixture.content(size, seed: UInt64(number)))
        }
    }

    @Test func `the manifest says what was stored, and is there`() async throws {
        let backup = try await take {
            ScriptedBackupSource(
                Fixture.start(configuration: [
                    ("/etc/postgresql/15/main/postgresql.conf", Array("port = 5432\n".utf8)),
                    ("/elsewhere/postgresql.conf", Array("port = 1\n".utf8)),
                ]),
                [
                    .file(Fixture.space), .content([1, 2, 3]), .file(Fixture.base),
                    .content([4, 5]), .file(Fixture.manifest), .content(Array("{}".utf8)),
                    .end(BaseBackupEnd(position: 0x300_0200, warnings: ["page 3 of x is bad"])),
                ])
        }
        #expect(backup.id == "20261122T120000Z-1-0000000003000060")
        #expect(
            backup.files.map(\.name) == [
                "configuration/postgresql.conf.lz4", "configuration/1-postgresql.conf.lz4",
                "16385.tar.lz4", "base.tar.lz4", "backup_manifest.lz4",
            ])
        #expect(backup.files[0].origin == "/etc/postgresql/15/main/postgresql.conf")
        #expect(backup.files[0].role == .configuration)
        #expect(backup.files[2].location == "/srv/fast")
        #expect(backup.start == 0x300_0060)
        #expect(backup.end == 0x300_0200)
        #expect(backup.started == Fixture.noon)
        #expect(backup.finished == Fixture.noon.advanced(bySeconds: 7))
        #expect(backup.warnings == ["page 3 of x is bad"])
        for file in backup.files {
            let bytes = try #require(stored(file.name))
            var digest = StoredDigest()
            digest.update(bytes)
            #expect(digest.finish() == file.storedSHA256)
        }
        let repository = ArchiveRepository(store)
        let found = try await offPool { try repository.backups(Fixture.ledger) }
        #expect(found == [backup])
    }

    private static let small: [ScriptedBackupSource.Step] = [
        .file(Fixture.base), .content([1, 2, 3]), .end(Fixture.end),
    ]

    @Test func `without the changes it needs the backup does not exist and leaves nothing`()
        async throws
    {
        let asked = Monitor<PositionRange?>(nil)
        let error = await #expect(throws: TidemarkError.self) {
            try await take(
                { ScriptedBackupSource(Fixture.start(), Self.small) },
                waitArchived: { range throws(TidemarkError) in
                    asked.update { $0 = range }
                    throw TidemarkError(.archiveIncomplete, "never came")
                })
        }
        #expect(error?.code == .archiveIncomplete)
        #expect(
            asked.read { $0 }
                == PositionRange(timeline: Fixture.one, first: 0x300_0060, last: 0x300_0200))
        #expect(memory.keys.isEmpty)
    }

    @Test func `a source that fails in the middle is the cause, and nothing stays`() async throws {
        let error = await #expect(throws: TidemarkError.self) {
            try await take {
                ScriptedBackupSource(
                    Fixture.start(),
                    [
                        .file(Fixture.space), .content(Fixture.content(3 << 20, seed: 1)),
                        .file(Fixture.base), .content(Fixture.content(3 << 20, seed: 2)),
                        .call { () throws(TidemarkError) in
                            throw TidemarkError(.sourceUnreachable, "the server went away")
                        },
                    ])
            }
        }
        #expect(error?.message == "the server went away")
        #expect(memory.keys.isEmpty)
    }

    @Test(arguments: [0, 1, 5])
    func `a full store is the cause, although the reader meets it later`(
        _ writes: Int
    ) async throws {
        let full = TidemarkError(.repositoryFull, "no space left")
        store.fail(.write, .error(full), times: 100, skipping: writes)
        let error = await #expect(throws: TidemarkError.self) {
            try await take {
                let content = Fixture.content(1 << 20, seed: 3)
                return ScriptedBackupSource(
                    Fixture.start(),
                    [.file(Fixture.base)]
                        + Array(repeating: .content(content), count: 30) + [.end(Fixture.end)])
            }
        }
        #expect(error?.code == .repositoryFull)
        #expect(memory.keys.isEmpty)
    }

    @Test func `a stop ends it as cancelled`() async throws {
        let error = await #expect(throws: TidemarkError.self) {
            try await take(
                {
                    ScriptedBackupSource(
                        Fixture.start(),
                        [.file(Fixture.base), .content(Fixture.content(4 << 20, seed: 1))])
                }, shouldStop: { true })
        }
        #expect(error?.code == .cancelled)
    }

    @Test func `the server of another cluster is refused`() async throws {
        let repository = ArchiveRepository(store)
        try await offPool { try repository.putDescriptor(Fixture.start(identity: "9").descriptor) }
        let error = await #expect(throws: TidemarkError.self) {
            try await take { ScriptedBackupSource(Fixture.start(), Self.small) }
        }
        #expect(error?.code == .sourceIdentityChanged)
        #expect(error?.message.contains("7001") == true)
    }

    @Test func `what an interrupted backup left is removed by the next one`() async throws {
        let memory = memory
        try await offPool {
            try memory.put(
                ObjectKey("ledger/base/20261121T000000Z-1-0000000000000028/base.tar.lz4"), [1],
                .create)
            try memory.put(ObjectKey("ledger/base/running.json"), [2], .create)
        }
        let backup = try await take { ScriptedBackupSource(Fixture.start(), Self.small) }
        let prefix = "ledger/base/\(backup.id)/"
        #expect(
            memory.keys.map(\.path) == [prefix + "base.tar.lz4", prefix + "manifest.json"])
    }

    @Test func `a file that vanished before the manifest makes the backup fail`() async throws {
        let memory = memory
        let error = await #expect(throws: TidemarkError.self) {
            try await take(
                { ScriptedBackupSource(Fixture.start(), Self.small) },
                waitArchived: { _ throws(TidemarkError) in
                    for key in memory.keys where key.name == "base.tar.lz4" {
                        try memory.delete(key)
                    }
                })
        }
        #expect(error?.code == .archiveIncomplete)
        #expect(error?.message.contains("vanished") == true)
    }
}
