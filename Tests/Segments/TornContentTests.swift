import Model
import TestKit
import Testing

@testable import Segments

/// Content may itself be LZ4 frames: a torn write of it is a torn write all the same.
struct TornContentTests {
    private let key = ObjectKey("cache/stream/a/x.resp.partial")

    private func noise(_ count: Int, _ seed: UInt64) -> [UInt8] {
        var random = SeededRandom(seed: seed)
        return (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
    }

    private func encoded(_ content: [UInt8], note: [UInt8]? = nil) throws -> [UInt8] {
        let encoder = Compression.lz4.encoder(acceleration: 8)
        let frame = Buffer(capacity: 1 << 20)
        if let note { encoder.note(.history, note, into: frame) }
        encoder.encode(content.span.bytes, into: frame)
        return frame.array
    }

    private func survey(_ bytes: [UInt8]) throws -> SegmentSurvey {
        let store = MemoryStore()
        let writer = try store.create(key)
        try writer.write(bytes)
        try writer.finish()
        return try SegmentReader.survey(store, key, first: 0, bytes: 0)
    }

    private var note: [UInt8] {
        var index = SegmentIndex(first: 0)
        let time = CommitTime(microseconds: 1_000_000)
        index.add(TimeIndexEntry(position: 3, earliest: time, latest: time))
        return HistoryNote.encode(index)[0]
    }

    @Test func `a torn frame that carries whole frames as content is torn, unless it ends there`()
        throws
    {
        let first = try encoded(noise(5000, 1), note: note)
        let stored = try encoded(noise(3000, 2))
        let head = noise(2000, 3)
        let last = try encoded(head + stored + noise(2000, 4), note: note)
        let place = try #require(
            (0..<last.count - stored.count).first {
                last[$0] == stored[0] && Array(last[$0..<$0 + stored.count]) == stored
            })
        for cut in [place + stored.count + 1, place + stored.count + 700, last.count - 1] {
            let found = try survey(first + last[..<cut])
            #expect(found.contentBytes == 5000 && !found.isClean && found.resumesAt == nil)
        }
        // Torn right behind it, it may be the writer's own last frame: never taken for less.
        let found = try survey(first + last[..<(place + stored.count)])
        #expect(found.contentBytes == 5000 && found.resumesAt != nil)
        #expect(try survey(first + last).contentBytes == UInt64(5000 + 4000 + stored.count))
    }

    @Test func `behind a flipped bit the writer's own frames are known`() throws {
        let first = try encoded(noise(5000, 1), note: note)
        for behind in [
            try encoded(noise(900, 5), note: note),
            try encoded(noise(900, 5)) + encoded(noise(900, 6)),
        ] {
            var bytes = first + (try encoded(noise(5000, 7), note: note)) + behind
            bytes[first.count + 3000] ^= 4
            #expect(try survey(bytes).resumesAt != nil)
        }
    }
}
