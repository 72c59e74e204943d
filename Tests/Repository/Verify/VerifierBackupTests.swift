import Model
import TestKit
import Testing

@testable import Repository

/// What verification finds in base backups.
struct VerifierBackupTests {
    private typealias Archive = SmallArchive

    /// Damages the sound archive's base backup and verifies.
    private func verify(
        deep: Bool = true,
        _ change: @escaping @Sendable (SmallArchive, ObjectKey) throws -> Void
    ) async throws -> [VerificationProblem] {
        try await offPool {
            let archive = try SmallArchive()
            let backup = try archive.repository.backups(Archive.source)[0]
            try change(archive, Layout.backup(Archive.source, backup.id))
            return try archive.verify(deep: deep).problems
        }
    }

    /// Writes the manifest anew.
    private static func edit(
        _ archive: SmallArchive, _ folder: ObjectKey,
        _ change: (inout BaseBackupDescriptor) -> Void
    ) throws {
        var backup = try archive.repository.backups(Archive.source)[0]
        change(&backup)
        try archive.memory.put(
            folder / Layout.manifestName, JSONDocument.encode(backup), .replace)
    }

    private static let files = [
        "base.tar.lz4", "16385.tar.lz4", "backup_manifest.lz4", "configuration/pg_hba.conf.lz4",
    ]

    @Test(arguments: files)
    func `a missing file is found without reading content`(_ name: String) async throws {
        let problems = try await verify(deep: false) { archive, folder in
            try archive.memory.delete(folder / name)
        }
        #expect(problems.map(\.kind) == [.missing])
        #expect(problems.first?.key.hasSuffix(name) == true)
        #expect(problems.first?.remedy.contains("tidemark backup ledger") == true)
    }

    @Test(arguments: files)
    func `a file of another size is found without reading content`(_ name: String) async throws {
        let problems = try await verify(deep: false) { archive, folder in
            archive.memory.corrupt(folder / name) { $0.removeLast() }
        }
        #expect(problems.map(\.kind) == [.damaged])
    }

    @Test(arguments: files)
    func `a flipped bit anywhere is found`(_ name: String) async throws {
        let problems = try await offPool {
            let archive = try SmallArchive()
            let backup = try archive.repository.backups(Archive.source)[0]
            let key = Layout.backup(Archive.source, backup.id) / name
            let size = archive.memory.bytes(key)!.count
            return try stride(from: 0, to: size, by: max(1, size / 17)).map { place in
                archive.memory.corrupt(key) { $0[place] ^= 16 }
                defer { archive.memory.corrupt(key) { $0[place] ^= 16 } }
                return try archive.verify().problems
            }
        }
        for found in problems { #expect(found.map(\.kind) == [.damaged]) }
    }

    @Test func `a tar without its end is found although every checksum is right`() async throws {
        let problems = try await offPool {
            let archive = try SmallArchive()
            archive.time.advance(60)
            try archive.takeBackup(tar: Array(SmallTar.make([("a", [1])]).dropLast(1024)))
            return try archive.verify().problems
        }
        #expect(problems.count == 1)
        #expect(problems.first?.what.contains("the tar has no end") == true)
    }

    @Test func `content of another length than the manifest says is found`() async throws {
        let problems = try await verify { archive, folder in
            try Self.edit(archive, folder) { $0.files[1].bytes += 1 }
        }
        #expect(problems.first?.what.contains("bytes instead of") == true)
    }

    @Test func `a manifest that is not readable, or of somebody else, is found`() async throws {
        let torn = try await verify(deep: false) { archive, folder in
            archive.memory.corrupt(folder / Layout.manifestName) { $0.removeLast(20) }
        }
        #expect(torn.map(\.kind) == [.damaged])
        let changes: [@Sendable (inout BaseBackupDescriptor) -> Void] = [
            { $0.id = "20260101T000000Z-1-0000000000000000" }, { $0.source = SourceID("other")! },
            { $0.server.identity = "7002" }, { $0.start = $0.end + 1 },
            { $0.files.removeAll { $0.role == .data } },
        ]
        for change in changes {
            let problems = try await verify(deep: false) { archive, folder in
                try Self.edit(archive, folder, change)
            }
            #expect(problems.count == 1)
            #expect(problems.first?.key.hasSuffix("manifest.json") == true)
        }
    }

    @Test(arguments: ["../base.tar.lz4", "/etc/passwd", "", "a//b", "."])
    func `a manifest cannot lead out of its folder`(_ name: String) async throws {
        let problems = try await verify { archive, folder in
            try Self.edit(archive, folder) { $0.files[1].name = name }
        }
        #expect(problems.map(\.kind) == [.damaged])
    }

    @Test func `changes that a base backup needs and retention took are missed`() async throws {
        let problems = try await verify(deep: false) { archive, _ in
            try archive.memory.delete(archive.segment(0))
        }
        #expect(problems.count == 1)
        #expect(problems.first?.what.contains("needs timeline 1 from @100 to @3000") == true)
    }
}
