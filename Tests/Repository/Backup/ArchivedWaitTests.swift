import Model
import TestKit
import Testing

@testable import Repository

struct ArchivedWaitTests {
    private typealias Archive = SmallArchive

    private func range(_ first: UInt64, _ last: UInt64) -> PositionRange {
        PositionRange(timeline: Archive.one, first: first, last: last)
    }

    private func wait(
        _ archive: SmallArchive, pause: @escaping (Double) -> Bool = { _ in true }
    ) -> ArchivedWait {
        ArchivedWait(
            archive.repository, Archive.source, Archive.style, clock: archive.time, pause: pause)
    }

    @Test func `what is sealed, and what the watermark says of the open segment, is archived`()
        async throws
    {
        let range = range(100, Archive.end)
        try await offPool {
            let archive = try SmallArchive()
            try wait(archive).wait(for: range)
            #expect(try wait(archive).archivedEnd(of: range) == Archive.end)
            // Without the watermark only the sealed ones count.
            try archive.memory.delete(Layout.watermark(Archive.source))
            #expect(try wait(archive).archivedEnd(of: range) == 5 * Archive.size)
        }
    }

    @Test func `a hole ends it, whatever comes behind`() async throws {
        let range = range(100, Archive.end)
        try await offPool {
            let archive = try SmallArchive()
            try archive.memory.delete(archive.segment(2))
            #expect(try wait(archive).archivedEnd(of: range) == 2 * Archive.size)
        }
    }

    @Test func `it goes on as soon as the archive has grown`() async throws {
        let range = range(100, Archive.end)
        try await offPool {
            let archive = try SmallArchive()
            try archive.putWatermark(Archive.one, Archive.end - 100)
            var pauses = 0
            try wait(archive) { _ in
                pauses += 1
                if pauses == 3 { try? archive.putWatermark(Archive.one, Archive.end) }
                archive.time.advance(50)
                return false
            }.wait(for: range)
            #expect(pauses == 3)
        }
    }

    @Test func `when nothing is added for two minutes it says what is missing`() async throws {
        let range = range(100, Archive.end + 1)
        let error = await #expect(throws: TidemarkError.self) {
            try await offPool {
                let archive = try SmallArchive()
                try wait(archive) { seconds in
                    archive.time.advance(seconds)
                    return false
                }.wait(for: range)
            }
        }
        #expect(error?.code == .archiveIncomplete)
        #expect(error?.message.contains("ends at @\(Archive.end)") == true)
        #expect(error?.message.contains("up to @\(Archive.end + 1)") == true)
        #expect(error?.remedy.contains("tidemark run") == true)
    }

    @Test func `a stop ends it as cancelled`() async throws {
        let range = range(100, Archive.end + 1)
        let error = await #expect(throws: TidemarkError.self) {
            try await offPool { try wait(SmallArchive()).wait(for: range) }
        }
        #expect(error?.code == .cancelled)
    }
}
