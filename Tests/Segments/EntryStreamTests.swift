import Model
import Segments
import TestKit
import Testing

/// Streams whose positions do not count bytes: whole entries, each with a position of its own.
@Suite struct EntryStreamTests {
    /// `first-last`, as plain numbers.
    private struct EntryStyle: PositionStyle {
        let folder = "oplog"
        let scheme = "optime"
        let countsBytes = false
        func text(_ ordinal: UInt64) -> String { String(ordinal) }
        func parse(_ text: String) -> UInt64? { UInt64(text) }
        func segmentName(_ range: PositionRange) -> String { "\(range.first)-\(range.last)" }
        func parseSegmentName(_ name: String, timeline: TimelineID) -> PositionRange? {
            let parts = name.split(separator: "-").compactMap { UInt64($0) }
            guard parts.count == 2 else { return nil }
            return PositionRange(timeline: timeline, first: parts[0], last: parts[1])
        }
    }

    private let store = MemoryStore()
    private let timeline = TimelineID("rs0")

    private func writer(
        _ time: SimulatedTime = SimulatedTime(), segmentBytes: UInt64 = 3 << 20
    ) throws -> SegmentWriter {
        try SegmentWriter(
            source: SourceID("lessons")!, kind: .mongodb, style: EntryStyle(), store: store,
            options: SegmentWriterOptions(rotation: .size(bytes: segmentBytes, age: 600)),
            time: time,
            key: { ObjectKey("lessons/oplog/rs0/" + EntryStyle().segmentName($0)) },
            attachKey: { ObjectKey("lessons/oplog/\($0)/\($1)") })
    }

    private func opening(_ start: UInt64) -> StreamOpening {
        StreamOpening(
            descriptor: SourceDescriptor(
                source: SourceID("lessons")!, kind: .mongodb, identity: "7", majorVersion: "4.4",
                segmentBytes: 3 << 20, created: SimulatedTime().wall()),
            start: Position(timeline: timeline, ordinal: start), serverVersion: "4.4.4",
            sourceEnd: start)
    }

    /// An entry whose every byte tells its number.
    private func entry(_ number: UInt64, bytes: Int) -> [UInt8] {
        [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: bytes)
    }

    private func append(_ writer: SegmentWriter, _ number: UInt64, bytes: Int) throws {
        // Positions jump: an optime says nothing of how long an entry is.
        let content = entry(number, bytes: bytes)
        try writer.append(content.span.bytes, from: writer.received, to: number * 1000)
        try writer.note(
            HistoryEntry(
                event: .commit(transaction: 0), first: (number - 1) * 1000, last: number * 1000,
                time: CommitTime(microseconds: Int64(number) * 1_000_000)))
        try writer.edge(writer.received, state: "")
    }

    private func names() throws -> [String] { try store.list("lessons/").map(\.key.name) }

    private func content(_ name: String) throws -> [UInt8] {
        let reader = try SegmentReader(store, ObjectKey("lessons/oplog/rs0/" + name))
        defer { reader.close() }
        return try reader.readAll()
    }

    @Test func `an open segment says by itself where it ends`() async throws {
        try await offPool {
            let writer = try writer()
            try writer.begin(opening(0))
            for number in 1...50 { try append(writer, UInt64(number), bytes: 300) }
            #expect(try writer.flush() == 50_000)
            writer.close()
            let survey = try SegmentReader.survey(
                store, ObjectKey("lessons/oplog/rs0/0-0.partial"), first: 0, bytes: 0)
            #expect(survey.reach(from: 0) == 50_000)
            #expect(survey.contentBytes == 15_000)
            #expect(survey.index.lastCommit == CommitTime(microseconds: 50_000_000))
            // The next run goes on exactly there, in the same file.
            let next = try self.writer()
            #expect(try next.begin(opening(50_000)) == 50_000)
            try append(next, 51, bytes: 4 << 20)
            try next.flush()
            try next.settle()
            next.close()
            #expect(try names() == ["0-51000.lz4"])
            let all = try content("0-51000.lz4")
            #expect(all.count == 15_000 + (4 << 20))
            #expect(all[14_999] == 50 && all[15_000] == 51)
        }
    }

    @Test func `a stream that begins elsewhere than the archive ends is refused`() async throws {
        try await offPool {
            let writer = try writer()
            try writer.begin(opening(0))
            try append(writer, 1, bytes: 300)
            try writer.flush()
            writer.close()
            let next = try self.writer()
            let error = #expect(throws: TidemarkError.self) { try next.begin(opening(500)) }
            #expect(error?.code == .sourceUnreachable)
            next.close()
        }
    }

    @Test func `an entry of many frames that a crash has torn is cut off whole`() async throws {
        try await offPool {
            let writer = try writer(segmentBytes: 64 << 20)
            try writer.begin(opening(0))
            try append(writer, 1, bytes: 300)
            try writer.flush()
            try append(writer, 2, bytes: 5 << 20)
            try writer.flush()
            try append(writer, 3, bytes: 100)
            try writer.flush()
            writer.close()
            let key = ObjectKey("lessons/oplog/rs0/0-0.partial")
            let file = try SegmentReader.survey(store, key, first: 0, bytes: 0)
            #expect(file.reach(from: 0) == 3000)
            let size = try #require(try store.size(key))
            // Cut at many places: what is left always ends with a whole entry.
            for cut in stride(from: size, to: 0, by: -997) {
                let handle = try store.openAppendable(key)
                try handle.truncate(cut)
                handle.close()
                let survey = try SegmentReader.survey(store, key, first: 0, bytes: 0)
                let bytes: [UInt64: UInt64] = [
                    0: 0, 1000: 300, 2000: 300 + (5 << 20), 3000: 400 + (5 << 20),
                ]
                #expect(survey.contentBytes == bytes[survey.reach(from: 0)], "cut at \(cut)")
                // And a reader sees just that: nothing of what the next run cuts off.
                let read = try content("0-0.partial")
                #expect(UInt64(read.count) == survey.contentBytes, "cut at \(cut)")
            }
            let next = try self.writer(segmentBytes: 64 << 20)
            let survey = try SegmentReader.survey(store, key, first: 0, bytes: 0)
            let end = survey.reach(from: 0)
            #expect(try next.begin(opening(end)) == end)
            next.close()
        }
    }

    @Test(arguments: [false, true])
    func `entries that come in parts count with the last, and a segment never ends among them`(
        isFlushed: Bool
    ) async throws {
        try await offPool {
            let time = SimulatedTime()
            let writer = try writer(time)
            try writer.begin(opening(0))
            try append(writer, 1, bytes: 300)
            var all = entry(1, bytes: 300)
            for number in 2..<9 as Range<UInt64> {
                let part = entry(number, bytes: 1_000_003)
                all += part
                try writer.append(part.span.bytes, from: 1000, to: 1000)
                // The segment is full, and by now too old: it must not end here.
                time.advance(700)
                if isFlushed { #expect(try writer.flush() == 1000) }
                #expect(try writer.poll() <= 1000)
            }
            let key = ObjectKey("lessons/oplog/rs0/0-0.partial")
            if isFlushed {
                let survey = try SegmentReader.survey(store, key, first: 0, bytes: 0)
                #expect(survey.reach(from: 0) == 1000 && survey.contentBytes == 300)
                #expect(try content("0-0.partial") == entry(1, bytes: 300))
            }
            try append(writer, 9, bytes: 100)
            all += entry(9, bytes: 100)
            #expect(try writer.flush() == 9000)
            try writer.settle()
            writer.close()
            #expect(try names() == ["0-9000.lz4"])
            #expect(try content("0-9000.lz4") == all)
        }
    }

    @Test func `parts without their end are cut off by the next run`() async throws {
        try await offPool {
            let writer = try writer(segmentBytes: 64 << 20)
            try writer.begin(opening(0))
            try append(writer, 1, bytes: 300)
            for number in 2..<6 as Range<UInt64> {
                let part = entry(number, bytes: 900_001)
                try writer.append(part.span.bytes, from: 1000, to: 1000)
            }
            #expect(try writer.flush() == 1000)
            writer.close()
            let next = try self.writer(segmentBytes: 64 << 20)
            #expect(try next.begin(opening(1000)) == 1000)
            try append(next, 7, bytes: 500)
            #expect(try next.flush() == 7000)
            next.close()
            #expect(try content("0-0.partial") == entry(1, bytes: 300) + entry(7, bytes: 500))
        }
    }
}
