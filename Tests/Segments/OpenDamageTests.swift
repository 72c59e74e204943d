import Model
import Platform
import TestKit
import Testing

@testable import Segments

/// A flipped bit in an open segment is no torn tail.
@Suite struct OpenDamageTests {
    private static let middle: UInt64 = 1_200_000
    private static let end: UInt64 = 1_500_000

    /// What the writer reported.
    private let reports = Monitor<[DamagedSegment]>([])

    /// A sealed segment and an open one of several frames.
    private func begun(
        _ compression: Compression = .lz4, acknowledged: UInt64? = end
    ) throws -> (MemoryStore, Archive) {
        let store = MemoryStore()
        var archive = Archive(store)
        archive.options.compression = compression
        archive.options.acknowledged = acknowledged.map {
            Position(timeline: archive.timeline, ordinal: $0)
        }
        archive.options.damaged = { [reports] found in reports.update { $0.append(found) } }
        let writer = try archive.writer()
        try writer.begin(archive.opening(0))
        for end in [1 << 20, Self.middle, Self.middle + 100_000, Self.end] {
            try archive.play(writer, to: end)
            try writer.flush()
        }
        try writer.settle()
        writer.close()
        return (store, archive)
    }

    private func partial(_ store: MemoryStore) throws -> ObjectKey {
        try #require(store.keys.first { $0.name.hasSuffix(".partial") })
    }

    private func copies(_ store: MemoryStore) -> [ObjectKey] {
        store.keys.filter { $0.name.contains(".partial.damaged-") }
    }

    /// Flips a bit in the frame that begins behind the content up to `position`.
    private func flip(_ store: MemoryStore, _ archive: Archive, behind position: UInt64) throws {
        let key = try partial(store)
        let file = try OpenSegmentFile.open(
            store, key, .lz4, index: SegmentIndex(first: 1 << 20, bytes: 1 << 20), hashing: false,
            failpoint: { _ in }
        ).file
        defer { file.close() }
        let frames = file.reader()
        var content: UInt64 = 1 << 20
        while content < position, let item = try frames.next() {
            if item == .content { content += UInt64(frames.content.count) }
        }
        let place = Int(frames.boundary) + 10_000
        store.corrupt(key) { $0[place] ^= 4 }
    }

    /// Takes the archive up, sends again what it asks for, and more.
    private func heal(_ archive: Archive) throws -> UInt64 {
        let writer = try archive.writer()
        defer { writer.close(abandoning: true) }
        let known = try writer.begin(archive.opening(1 << 20))
        try archive.play(writer, to: 3_000_000, since: 1 << 20)
        try writer.flush()
        try writer.settle()
        writer.close()
        try archive.checkEverything(to: 3_000_000)
        return known
    }

    @Test(arguments: Compression.allCases)
    func `it is copied aside, reported, and filled again`(_ compression: Compression) async throws {
        try await offPool {
            let (store, archive) = try begun(compression)
            try flip(store, archive, behind: Self.middle)
            let damaged = try #require(store.bytes(partial(store)))
            #expect(try heal(archive) == Self.middle)
            let copy = try #require(copies(store).first)
            #expect(store.bytes(copy) == damaged)
            let report = try #require(reports.read { $0.first })
            #expect(report.copy == copy && copy.name.hasSuffix("-\(report.offset)"))
            #expect(report.end.ordinal == Self.middle && report.acknowledged == Self.end)
            #expect(report.resumesAt ?? 0 > report.offset)
            #expect(reports.read { $0.count } == 1)
            // Healed: nobody speaks of it any more.
            let again = try archive.writer()
            try again.begin(archive.opening(2 << 20))
            again.close()
            #expect(reports.read { $0.count } == 1 && copies(store).count == 1)
        }
    }

    @Test func `whole frames behind it tell, also when nobody knows what was acknowledged`()
        async throws
    {
        try await offPool {
            let (store, archive) = try begun(acknowledged: nil)
            try flip(store, archive, behind: Self.middle)
            #expect(try heal(archive) == Self.middle)
            #expect(copies(store).count == 1)
        }
    }

    @Test func `in the last frame only what was acknowledged tells`() async throws {
        try await offPool {
            for acknowledged in [Self.end, nil] {
                reports.update { $0 = [] }
                let (store, archive) = try begun(acknowledged: acknowledged)
                try flip(store, archive, behind: Self.middle + 100_000)
                #expect(try heal(archive) == Self.middle + 100_000)
                #expect(copies(store).count == (acknowledged == nil ? 0 : 1))
                #expect(reports.read { $0.first?.resumesAt } == nil)
            }
        }
    }

    @Test func `a torn tail and a file that is cut clean are copied by nobody`() async throws {
        try await offPool {
            let (torn, archive) = try begun()
            let frame = Buffer(capacity: 1 << 20)
            LZ4FrameEncoder().encode(
                archive.history.bytes(Self.end, Self.end + 50_000).span.bytes, into: frame)
            let end = try SegmentReader.survey(
                torn, partial(torn), first: 1 << 20, bytes: 1 << 20
            ).end
            torn.corrupt(try partial(torn)) {
                $0 = Array($0.prefix(Int(end))) + frame.array.prefix(frame.count / 2)
            }
            #expect(try heal(archive) == Self.end)
            #expect(copies(torn).isEmpty && reports.read { $0.isEmpty })

            let (cut, other) = try begun()
            try flip(cut, other, behind: Self.middle)
            let whole = try SegmentReader.survey(
                cut, partial(cut), first: 1 << 20, bytes: 1 << 20
            ).end
            cut.corrupt(try partial(cut)) { $0.removeLast($0.count - Int(whole)) }
            #expect(try heal(other) == Self.middle)
            #expect(copies(cut).isEmpty)
            #expect(reports.read { $0.map(\.copy) } == [nil])
        }
    }

    @Test func `nothing is cut off before the copy is there, and a crash makes no second one`()
        async throws
    {
        try await offPool {
            let (store, sound) = try begun()
            try flip(store, sound, behind: Self.middle)
            let damaged = try #require(store.bytes(partial(store)))
            var archive = sound
            archive.options.failpoint = { (point) throws(TidemarkError) in
                if point == .damageSetAside { throw TidemarkError(.failed, "stopped") }
            }
            #expect(throws: TidemarkError.self) { try heal(archive) }
            let key = try partial(store)
            #expect(store.bytes(key) == damaged)
            var random = SeededRandom(seed: 4)
            store.crash(&random)
            #expect(try heal(sound) == Self.middle)
            #expect(copies(store).map { store.bytes($0) } == [damaged])
        }
    }

    @Test func `a sealed segment of the same name counts, and no damage is spoken of`()
        async throws
    {
        try await offPool {
            let (store, archive) = try begun()
            let (elsewhere, other) = try begun()
            _ = try heal(other)
            let sealed = try #require(elsewhere.keys.first { $0.name.hasSuffix("1048576.lz4") })
            try store.put(sealed, elsewhere.bytes(sealed) ?? [], .create)
            try flip(store, archive, behind: Self.middle)
            #expect(try heal(archive) == 2 << 20)
            #expect(reports.read { $0.isEmpty } && copies(store).isEmpty)
        }
    }

    @Test(arguments: Compression.allCases)
    func `no bit of it makes a reader believe other bytes, or miss frames that follow`(
        _ compression: Compression
    ) async throws {
        try await offPool {
            let store = MemoryStore()
            let key = ObjectKey("s/w/1/x.partial")
            let content = Archive(store).history.bytes(0, 600)
            try store.put(key, Self.small(content, compression), .create)
            let size = try #require(store.bytes(key)).count
            for bit in 0..<size * 8 {
                store.corrupt(key) { $0[bit / 8] ^= 1 << (bit % 8) }
                defer { store.corrupt(key) { $0[bit / 8] ^= 1 << (bit % 8) } }
                let survey = try SegmentReader.survey(store, key, first: 0, bytes: 2000)
                let reader = try SegmentReader(store, key)
                let found = try reader.readAll()
                reader.close()
                #expect(content.starts(with: found), "bit \(bit) gave other bytes")
                #expect(survey.contentBytes == UInt64(found.count))
                #expect(found.count == 600 || reader.endsTorn, "bit \(bit)")
                // The last frame has nothing behind it; what it lacks the watermark tells.
                if found.count < 400 {
                    #expect(survey.resumesAt != nil, "bit \(bit) went unnoticed")
                }
            }
        }
    }

    /// Three frames with notes between them, as an open segment holds them.
    private static func small(_ content: [UInt8], _ compression: Compression) -> [UInt8] {
        let encoder = compression.encoder()
        let file = Buffer(capacity: 8192)
        for part in [0..<200, 200..<400, 400..<600] {
            var index = SegmentIndex(first: 0, bytes: 2000)
            for entry in History(spacing: 90).commits(
                UInt64(part.lowerBound), UInt64(part.upperBound))
            {
                index.add(entry)
            }
            for note in HistoryNote.encode(index) { encoder.note(.history, note, into: file) }
            encoder.encode(content.span.bytes.extracting(part), into: file)
        }
        if compression == .lz4 { encoder.note(.pad, [UInt8](repeating: 0, count: 50), into: file) }
        return file.array
    }
}
