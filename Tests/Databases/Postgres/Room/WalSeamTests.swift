import Model
import Testing

@testable import Postgres

/// A stream joins the archive where the records on both sides are linked.
@Suite struct WalSeamTests {
    private static let size: UInt64 = 1 << 20
    private static let place: UInt64 = 0x400_0000

    /// WAL from two segments before `place` on, with what `body` writes around it.
    private func history(_ body: (inout WalBuilder) -> Void) -> WalBuilder {
        var builder = WalBuilder(start: Self.place - 2 * Self.size)
        builder.commit(1, at: 1)
        body(&builder)
        return builder
    }

    /// Commits up to the last page before `place`, and `left` bytes of that free.
    private func fill(_ builder: inout WalBuilder, leaving left: Int) {
        while builder.position < Self.place - 8192 { builder.filler(200) }
        builder.fill(leaving: left)
    }

    /// A scanner that has read what is archived of `builder` before `place`, from `first` on.
    private func scanner(
        _ builder: WalBuilder, archivedFrom first: UInt64 = 0, timeline: UInt32 = 1
    ) throws -> WalScanner? {
        let archived = ArchivedBytes {
            (range, body) throws(TidemarkError) in
            guard range.first >= max(first, builder.start), range.last == Self.place else {
                return false
            }
            let from = Int(range.first - builder.start)
            let piece = builder.bytes[from..<from + Int(range.length)]
            for start in stride(from: piece.startIndex, to: piece.endIndex, by: 100_000) {
                let part = Array(piece[start..<min(piece.endIndex, start + 100_000)])
                try body(part.span.bytes)
            }
            return true
        }
        return try WalSeam(archived: archived, segmentBytes: Self.size).scanner(
            at: Self.place, after: TimelineID("1")
        ) {
            (start) throws(TidemarkError) in
            try WalScanner(
                startAt: start, segmentBytes: Self.size,
                systemIdentifier: builder.systemIdentifier, timeline: timeline)
        }
    }

    /// The stream of `builder` from `place` on.
    private func stream(_ builder: WalBuilder) -> [UInt8] {
        Array(builder.bytes[Int(Self.place - builder.start)...])
    }

    /// The archive of the first, continued by the second; the entries found behind the seam.
    private func join(_ archive: WalBuilder, _ source: WalBuilder) throws -> [HistoryEntry] {
        var scanner = try #require(try scanner(archive))
        #expect(scanner.position == Self.place)
        return try scanner.takeAll(stream(source), piece: 5000)
    }

    @Test func `a record that ends with the segment is named by the next`() throws {
        let ours = history {
            fill(&$0, leaving: 0)
            $0.commit(2, at: 2)
        }
        #expect(try join(ours, ours).count == 1)
        let theirs = history {
            $0.filler(96)
            fill(&$0, leaving: 0)
            $0.commit(2, at: 2)
        }
        #expect(throws: TidemarkError.self) { try join(ours, theirs) }
    }

    @Test func `a segment switch is named by the first record behind it`() throws {
        func switched(_ fillers: Int) -> WalBuilder {
            history {
                while $0.position < Self.place - Self.size { $0.filler(200) }
                for _ in 0..<fillers { $0.filler(200) }
                $0.segmentSwitch()
                $0.commit(2, at: 2)
            }
        }
        #expect(try join(switched(3), switched(3)).count == 1)
        #expect(throws: TidemarkError.self) { try join(switched(3), switched(4)) }
    }

    @Test func `a commit over the segment's end is found whole`() throws {
        func straddling(_ length: Int) -> WalBuilder {
            history {
                fill(&$0, leaving: 32)
                if length > 0 {
                    $0.record(
                        manager: 1, info: 0, transaction: 7,
                        [254] + WalBuilder.little(UInt32(length)) + WalBuilder.little(UInt64(9))
                            + [UInt8](repeating: 0, count: length - 8))
                } else {
                    $0.filler(32)
                }
                $0.commit(8, at: 8)
            }
        }
        let found = try join(straddling(100), straddling(100))
        #expect(found.map(\.event) == [.commit(transaction: 7), .commit(transaction: 8)])
        // The rest of a longer record, and none at all, do not fit.
        #expect(throws: TidemarkError.self) { try join(straddling(100), straddling(200)) }
        #expect(throws: TidemarkError.self) { try join(straddling(100), straddling(0)) }
    }

    @Test func `a record longer than a segment is followed back to where it begins`() throws {
        func long(_ transaction: UInt32) -> WalBuilder {
            history {
                for _ in 0..<transaction { $0.filler(200) }
                let body = [UInt8](repeating: 5, count: 2 << 20)
                $0.record(
                    manager: 10, info: 0, transaction: 3,
                    [254] + WalBuilder.little(UInt32(body.count)) + body)
                $0.commit(4, at: 4)
            }
        }
        let scanner = try #require(try scanner(long(1)))
        #expect(scanner.openRecordStart ?? 0 < Self.place - Self.size)
        #expect(try join(long(1), long(1)).count == 1)
        #expect(throws: TidemarkError.self) { try join(long(1), long(2)) }
    }

    @Test func `without the archive's bytes, or with damaged ones, nothing is said`() throws {
        var ours = history { fill(&$0, leaving: 0) }
        #expect(try scanner(ours, archivedFrom: Self.place - 100) == nil)
        ours.cut(at: Self.place - 8192)
        ours.raw([UInt8](repeating: 1, count: 8192))
        #expect(try scanner(ours) == nil)
    }

    @Test func `a timeline that begins with a copy is joined to its parent`() throws {
        let parent = history { fill(&$0, leaving: 0) }
        var child = parent
        child.timeline = 2
        child.commit(2, at: 2)
        var scanner = try #require(try scanner(parent)).continued(on: 2)
        #expect(try scanner.takeAll(stream(child)).count == 1)
    }
}
