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
}
