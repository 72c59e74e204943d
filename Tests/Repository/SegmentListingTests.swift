import Model
import TestKit
import Testing

@testable import Repository

struct SegmentListingTests {
    private let one = TimelineID("1")

    private func listing(_ files: [String]) async throws -> StreamListing {
        try await offPool {
            let memory = MemoryStore()
            for file in files {
                try memory.put(ObjectKey("ledger/wal/\(file)"), [1, 2, 3], .create)
            }
            return try ArchiveRepository(memory).stream(BackupFixture.ledger, SmallStyle())
        }
    }

    private func name(_ number: UInt64) -> String { SmallStyle().fileText(number * 65_536) }

    @Test func `segments are ordered by position within their timeline`() async throws {
        let listing = try await listing([
            "10/\(name(9)).lz4", "2/\(name(2)).gz", "1/\(name(1)).lz4", "1/\(name(0)).lz4",
            "1/\(name(2)).partial",
        ])
        #expect(listing.timelines.map(\.name) == ["1", "2", "10"])
        let first = try #require(listing.segments[one])
        #expect(first.map(\.range.first) == [0, 65_536, 131_072])
        #expect(first.map(\.state) == [.sealed, .sealed, .open])
        #expect(first[0].storedBytes == 3)
        #expect(first[2].key.path == "ledger/wal/1/\(name(2)).partial")
    }

    @Test func `of one that is sealed and open only the sealed one counts`() async throws {
        let listing = try await listing([
            "1/\(name(3)).partial", "1/\(name(3)).lz4", "1/\(name(4)).gz", "1/\(name(4)).partial",
        ])
        let segments = try #require(listing.segments[one])
        #expect(segments.map(\.state) == [.sealed, .sealed])
        #expect(segments.map(\.range.first) == [3 * 65_536, 4 * 65_536])
    }

    @Test func `documents are apart, and files elsewhere are not taken for any`() async throws {
        let listing = try await listing([
            "2/00000002.history.lz4", "2/\(name(1)).lz4", "stray.lz4", "1/deep/\(name(1)).lz4",
            "1/half.partial",
        ])
        #expect(
            listing.documents[TimelineID("2")]
                == ["00000002.history": ObjectKey("ledger/wal/2/00000002.history.lz4")])
        #expect(listing.segments[one] == nil)
        #expect(listing.documents[one] == nil)
        #expect(listing.timelines == [TimelineID("2")])
    }

    @Test func `a damaged segment that was copied aside is neither a segment nor a document`()
        async throws
    {
        let copy = "1/\(name(3)).partial.damaged-4711"
        let listing = try await listing(["1/\(name(3)).partial", copy, copy + "-2"])
        #expect(listing.segments[one]?.map(\.range.first) == [3 * 65_536])
        #expect(listing.documents.isEmpty)
        #expect(
            listing.setAside.map(\.name) == [
                "\(name(3)).partial.damaged-4711",
                "\(name(3)).partial.damaged-4711-2",
            ])
    }

    @Test func `a source without a stream has an empty listing`() async throws {
        let listing = try await listing([])
        #expect(listing.timelines.isEmpty)
        #expect(listing.documents.isEmpty)
    }
}
