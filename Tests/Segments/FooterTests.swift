import Model
import TestKit
import Testing

@testable import Segments

/// Footers, notes and the index.
@Suite struct FooterTests {
    private func descriptor(commits: Int, name: String = "plain") -> SegmentDescriptor {
        var index = SegmentIndex(first: 4096, bytes: 1 << 20)
        for entry in History().commits(4096, 4096 + UInt64(commits) * 700) { index.add(entry) }
        index.add(
            EmbeddedRestorePoint(
                name: name, position: 5000, time: CommitTime(microseconds: 5)))
        return SegmentDescriptor(
            source: Archive.source, kind: .postgres,
            range: PositionRange(timeline: TimelineID("1"), first: 4096, last: 1 << 20),
            firstCommit: index.firstCommit, lastCommit: index.lastCommit, bytes: 77,
            sha256: "ab", previousSHA256: nil, serverVersion: "15", index: index.stretches,
            restorePoints: index.restorePoints)
    }

    @Test(arguments: Compression.allCases)
    func `a footer is found from the end of the file`(_ compression: Compression) throws {
        for name in ["plain", "Größe \"x\" 🚀\n", String(repeating: "é", count: 20_000)] {
            let wanted = descriptor(commits: 900, name: name)
            let footer = try SegmentFooter.encode(wanted, compression)
            #expect(try footer == SegmentFooter.encode(wanted, compression))
            let file = [UInt8](repeating: 1, count: 300_000) + footer
            var tail = SegmentFooter.firstRead
            for _ in 0..<8 {
                let parsed = SegmentFooter.parse(end: Array(file.suffix(tail)), compression)
                guard case .needs(let more) = parsed else { break }
                #expect(more > tail)
                tail = more
            }
            let parsed = SegmentFooter.parse(end: Array(file.suffix(tail)), compression)
            #expect(parsed == .footer(wanted, length: footer.count))
        }
    }

    @Test(arguments: Compression.allCases)
    func `the index alone is read as with all the rest`(_ compression: Compression) throws {
        for commits in [0, 1, 900] {
            var wanted = descriptor(commits: commits, name: "\"index\":[")
            if let last = wanted.index.indices.last {
                wanted.index[last].latest = CommitTime("2026-12-31T23:59:59.000001Z")!
            }
            let footer = try SegmentFooter.encode(wanted, compression)
            guard case .json(let json, _) = SegmentFooter.find(end: footer, compression) else {
                Issue.record("no footer")
                continue
            }
            #expect(FooterIndex.entries(json) == wanted.index)
            // What is not written as this program does is left to the decoder.
            for place in stride(from: 0, to: json.count, by: 7) {
                var other = json
                other.insert(UInt8(ascii: " "), at: place)
                if let entries = FooterIndex.entries(other) { #expect(entries == wanted.index) }
            }
        }
        var far = descriptor(commits: 1)
        far.index[0].earliest = CommitTime(microseconds: -70_000_000_000_000_000)
        let footer = try SegmentFooter.encode(far, compression)
        if case .json(let json, _) = SegmentFooter.find(end: footer, compression) {
            #expect(FooterIndex.entries(json) ?? far.index == far.index)
        }
    }

    @Test(arguments: Compression.allCases)
    func `a damaged footer is no footer`(_ compression: Compression) throws {
        let footer = try SegmentFooter.encode(descriptor(commits: 3), compression)
        for bit in (0..<footer.count).map({ $0 * 8 + $0 % 8 }) {
            var damaged = footer
            damaged[bit / 8] ^= 1 << (bit % 8)
            if case .footer = SegmentFooter.parse(end: damaged, compression) {
                Issue.record("bit \(bit) was not noticed")
            }
        }
        for length in 0..<footer.count {
            let part = Array(footer[..<length])
            if case .footer = SegmentFooter.parse(end: part, compression) {
                Issue.record("a footer cut at \(length) was believed")
            }
        }
    }

    @Test func `the index keeps at most 256 stretches and both ends of their times`() {
        var index = SegmentIndex(first: 16 << 20, bytes: 16 << 20)
        let commits = History(spacing: 100).commits(16 << 20, 32 << 20)
        for entry in commits { index.add(entry) }
        #expect(index.stretches.count > 250 && index.stretches.count <= SegmentIndex.limit)
        #expect(index.firstCommit == commits.map(\.time).min())
        #expect(index.lastCommit == commits.map(\.time).max())
        for stretch in index.stretches {
            let inside = commits.filter { $0.first == stretch.position }
            #expect(inside.count == 1 && stretch.earliest <= stretch.latest)
        }
        #expect(index.stretches.map(\.position) == index.stretches.map(\.position).sorted())
    }

    @Test func `adding again changes nothing, in whatever order`() {
        let commits = History().commits(4096, 1 << 20)
        var once = SegmentIndex(first: 4096, bytes: 1 << 20)
        for entry in commits { once.add(entry) }
        var twice = once
        let changes = commits.filter { twice.add($0) }
        #expect(changes.isEmpty)
        var reversed = SegmentIndex(first: 4096, bytes: 1 << 20)
        for entry in commits.reversed() { reversed.add(entry) }
        #expect(twice == once && reversed == once)
    }

    @Test func `a record that starts in the segment before has a place of its own`() {
        var index = SegmentIndex(first: 1000, bytes: 1000)
        let time = CommitTime(microseconds: 1)
        index.add(HistoryEntry(event: .abort(transaction: 1), first: 990, last: 1010, time: time))
        index.add(HistoryEntry(event: .commit(transaction: 2), first: 1010, last: 1050, time: time))
        #expect(index.stretches.map(\.position) == [990, 1010])
    }

    @Test func `history notes carry everything and refuse damage`() {
        var index = SegmentIndex(first: 0, bytes: 1 << 20)
        for entry in History().commits(0, 1 << 20) { index.add(entry) }
        for number in 0..<2000 {
            index.add(
                EmbeddedRestorePoint(
                    name: "point \(number) \(String(repeating: "x", count: 40))",
                    position: UInt64(number), time: CommitTime(microseconds: Int64(number))))
        }
        let notes = HistoryNote.encode(index)
        #expect(notes.count > 1 && notes.allSatisfy { $0.count <= FrameLimit.note })
        var back = SegmentIndex(first: 0, bytes: 1 << 20)
        for note in notes { #expect(HistoryNote.decode(note, into: &back)) }
        #expect(back == index)
        var damaged = notes[0]
        damaged[100] ^= 4
        #expect(!HistoryNote.decode(damaged, into: &back))
        #expect(!HistoryNote.decode(Array(notes[0].dropLast()), into: &back))
        #expect(!HistoryNote.decode([], into: &back))
        #expect(HistoryNote.encode(SegmentIndex(first: 0, bytes: 1)).isEmpty)
    }

    @Test(arguments: 0..<20)
    func `an index by time knows a place every 64 KiB, thinned in notes or not`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var sealed = SegmentIndex(first: 0)
        var noted = SegmentIndex(first: 0)
        var chunk = SegmentIndex(first: 0)
        var position: UInt64 = 0
        var time: Int64 = 0
        var written: UInt64 = 0
        while position < 16 << 20 {
            // Several pieces of one receive have the same time.
            if Bool.random(using: &random) { time += .random(in: 0...2000, using: &random) }
            let now = CommitTime(microseconds: time)
            let last = position + .random(in: 1...(28 << 10), using: &random)
            let entry = HistoryEntry(
                event: .commit(transaction: 0), first: position, last: last, time: now)
            if sealed.add(entry) { chunk.add(entry) }
            position = last
            guard position - written > 1 << 20 || position >= 16 << 20 else { continue }
            noted.add(chunk)
            chunk.removeAll()
            written = position
        }
        for index in [sealed, noted] {
            let places = index.stretches.map(\.position) + [position]
            #expect(places.first == 0)
            for (one, next) in zip(places, places.dropFirst()) {
                #expect(next - one <= 64 << 10, "seed \(seed): \(one) to \(next)")
            }
        }
    }

    @Test func `an index by time keeps moments apart and stays small`() {
        var index = SegmentIndex(first: 0)
        func entry(_ position: UInt64, _ microseconds: Int64) -> TimeIndexEntry {
            let time = CommitTime(microseconds: microseconds)
            return TimeIndexEntry(position: position, earliest: time, latest: time)
        }
        // Ten minutes at a hundred a second.
        for number in 0..<60_000 as Range<UInt64> {
            index.add(entry(number * 50, Int64(number) * 10_000))
        }
        #expect(index.stretches.count <= SegmentIndex.timedLimit)
        #expect(
            index.stretches.allSatisfy { stretch in
                stretch.latest.microseconds - stretch.earliest.microseconds <= 250_000
            })
        let known = index
        // Told again, as after a repair.
        for number in stride(from: 0, to: 60_000, by: 37) as StrideTo<UInt64> {
            index.add(entry(number * 50, Int64(number) * 10_000))
        }
        #expect(index == known)
        var dense = SegmentIndex(first: 0)
        for number in 0..<32 as Range<UInt64> { dense.add(entry(number * 8_192, 5)) }
        #expect(dense.stretches.map(\.position) == (0..<16).map { $0 * 16_384 })
        var back = SegmentIndex(first: 0)
        back.add(entry(0, 2_000_000))
        back.add(entry(10, 1_000_000))
        #expect(back.stretches.count == 2 && back.lastCommit == CommitTime(microseconds: 2_000_000))
    }
}
