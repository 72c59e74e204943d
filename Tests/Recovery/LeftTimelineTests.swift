import Catalog
import Model
import Recovery
import Redis
import Repository
import TestKit
import Testing

/// What is missing behind the newest base backup, where a sidecar followed a source to another
/// history and left the last segment of the first one open.
struct LeftTimelineTests {
    private func hole(_ archive: RedisArchive) throws -> PositionRange? {
        try CatalogReader(archive.repository, RedisReplayer()).newestHole(RedisArchive.source)
    }

    @Test func `an open segment that was left ends where its content does`() throws {
        let archive = try RedisArchive()
        try archive.write([100, 101, 102])
        #expect(try hole(archive) == nil)
        try archive.write([110, 111], on: RedisArchive.child, first: 3, fork: 3)
        #expect(try hole(archive) == nil)
    }

    @Test func `what it does not hold is missing`() throws {
        let archive = try RedisArchive()
        try archive.write([100, 101, 102])
        try archive.write([110, 111], on: RedisArchive.child, first: 5, fork: 5)
        #expect(
            try hole(archive)
                == PositionRange(
                    timeline: RedisArchive.parent, first: 3 * RedisArchive.size,
                    last: 5 * RedisArchive.size))
    }

    @Test func `a restore point that only the left history has is told with it`() throws {
        let archive = try RedisArchive()
        try archive.write([100, 101, 102, 103, 104])
        try archive.write([110, 111], on: RedisArchive.child, first: 3, fork: 3)
        try archive.repository.putPoint(
            RedisArchive.source,
            RestorePoint(
                name: "left", timeline: RedisArchive.parent, position: 5 * RedisArchive.size,
                time: RedisArchive.at(105)))
        let refused = try #require(throws: TidemarkError.self) {
            try archive.plan(.point("left"))
        }
        #expect(refused.code.exitStatus == 3)
        #expect(refused.remedy.contains("--to point:left --timeline aaaa"), "\(refused)")
        let plan = try archive.plan(.point("left"), timeline: RedisArchive.parent)
        #expect(plan.stop?.end == 5 * RedisArchive.size)
        let nobody = try #require(throws: TidemarkError.self) {
            try archive.plan(.point("nobody"))
        }
        #expect(nobody.message.contains("is not in the archive"), "\(nobody)")
    }
}
