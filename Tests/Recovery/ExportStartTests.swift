import Model
import Platform
import Redis
import TestKit
import Testing

@testable import Recovery

/// Where an export of a Redis may begin.
struct ExportStartTests {
    @Test func `a place whose database nobody knows is refused, and no folder is made`() throws {
        let scratch = try ScratchDirectory()
        let archive = try RedisArchive()
        try archive.write((1...20).map { Double($0) }, state: "")
        let refused = try #require(throws: TidemarkError.self) {
            try Self.export(archive, from: 4, into: scratch.path + "/out")
        }
        #expect(refused.code.exitStatus == 3, "\(refused)")
        #expect(refused.remedy.contains("without --from"), "\(refused)")
        #expect(try Directory.names(in: scratch.path) == [])
        // A folder that was there stays.
        try Directory.makeAll(scratch.path + "/mine")
        #expect(throws: TidemarkError.self) {
            try Self.export(archive, from: 4, into: scratch.path + "/mine")
        }
        #expect(try Directory.names(in: scratch.path) == ["mine"])
        let known = try RedisArchive()
        try known.write((1...20).map { Double($0) })
        _ = try Self.export(known, from: 4, into: scratch.path + "/out")
        #expect(try Directory.names(in: scratch.path + "/out").count == 1)
    }

    private static func export(
        _ archive: RedisArchive, from commands: UInt64, into folder: String
    ) throws(TidemarkError) -> ExportOutcome {
        try Export(archive.repository, RedisReplayer()).run(
            ExportRequest(
                source: RedisArchive.source,
                start: .position(
                    scheme: "offset", text: String(commands * RedisArchive.size)),
                end: .latest, timeline: nil, destination: folder, repositoryFolder: nil,
                force: false))
    }
}
