import Model
import Platform
import TestKit
import Testing

@testable import Segments

/// Files that are not what was written.
@Suite struct DamageTests {
    /// A small sealed segment in several frames, with notes between them.
    private func sealed(_ compression: Compression) throws -> (MemoryStore, ObjectKey, [UInt8]) {
        let store = MemoryStore()
        var archive = Archive(store, .size(bytes: 2000, age: 1000))
        archive.options.compression = compression
        let file = try OpenSegmentFile.open(
            store, ObjectKey("s/w/1/x.partial"), compression,
            index: SegmentIndex(first: 0, bytes: 2000), hashing: false, failpoint: { _ in }
        ).file
        let content = archive.history.bytes(0, 600)
        let encoder = compression.encoder()
        var index = SegmentIndex(first: 0, bytes: 2000)
        for entry in archive.history.commits(0, 600) { index.add(entry) }
        let buffer = Buffer(capacity: 4096)
        for part in [0..<1, 1..<200, 200..<600] {
            buffer.removeAll()
            for note in HistoryNote.encode(index) { encoder.note(.history, note, into: buffer) }
            encoder.encode(content.span.bytes.extracting(part), into: buffer)
            try file.append(buffer, content: part.count, isSmall: false)
        }
        let descriptor = SegmentDescriptor(
            source: Archive.source, kind: .postgres,
            range: PositionRange(timeline: TimelineID("1"), first: 0, last: 600),
            firstCommit: nil, lastCommit: nil, bytes: 600, sha256: sha256(content),
            previousSHA256: nil, serverVersion: "15", index: [], restorePoints: [])
        let key = ObjectKey("s/w/1/x" + compression.suffix)
        try file.seal(SegmentFooter.encode(descriptor, compression), as: key)
        return (store, key, content)
    }

    private func sha256(_ content: [UInt8]) -> String {
        let buffer = Buffer(capacity: 1024)
        buffer.append(content)
        return SegmentSurvey.sha256(of: buffer)
    }

    private func read(_ store: MemoryStore, _ key: ObjectKey) throws -> [UInt8] {
        let reader = try SegmentReader(store, key)
        defer { reader.close() }
        return try reader.readAll()
    }

    @Test(arguments: Compression.allCases)
    func `one flipped bit anywhere is noticed or harmless`(
        _ compression: Compression
    ) async throws {
        try await offPool {
            let (store, key, content) = try sealed(compression)
            #expect(try read(store, key) == content)
            let size = try #require(store.bytes(key)).count
            var harmless = 0
            for bit in twoBits(ofEach: size) {
                store.corrupt(key) { $0[bit / 8] ^= 1 << (bit % 8) }
                do {
                    let found = try read(store, key)
                    #expect(found == content, "bit \(bit) gave other bytes")
                    harmless += 1
                } catch let error as TidemarkError {
                    #expect(error.code == .archiveDamaged)
                    #expect(error.message.contains(key.path), "\(error)")
                }
                store.corrupt(key) { $0[bit / 8] ^= 1 << (bit % 8) }
            }
            // Fields that mean nothing: gzip's times and systems, the notes between frames.
            #expect(harmless < size * 2 / 3, "\(harmless) of \(size * 2) bits went unnoticed")
        }
    }

    @Test(arguments: Compression.allCases)
    func `a file cut short, lengthened or mixed is noticed`(
        _ compression: Compression
    ) async throws {
        try await offPool {
            let (store, key, content) = try sealed(compression)
            let whole = try #require(store.bytes(key))
            for length in 0..<whole.count {
                store.corrupt(key) { $0 = Array(whole[..<length]) }
                let error = #expect(throws: TidemarkError.self) { try read(store, key) }
                #expect(error?.code == .archiveDamaged)
            }
            store.corrupt(key) { $0 = whole + [0] }
            #expect(throws: TidemarkError.self) { try read(store, key) }
            let frame = Buffer(capacity: 64)
            compression.encoder().encode([UInt8](repeating: 1, count: 9).span.bytes, into: frame)
            store.corrupt(key) { $0 = frame.array + whole }
            let longer = #expect(throws: TidemarkError.self) { try read(store, key) }
            #expect(longer?.message.contains("609 bytes instead of 600") == true)
            store.corrupt(key) { $0 = whole }
            #expect(try read(store, key) == content)
        }
    }

    @Test func `other content with right checksums has another SHA-256`() async throws {
        try await offPool {
            let (store, key, _) = try sealed(.lz4)
            let frame = Buffer(capacity: 64)
            LZ4FrameEncoder().encode([UInt8](repeating: 1, count: 600).span.bytes, into: frame)
            store.corrupt(key) { bytes in
                guard case .footer(_, let length) = SegmentFooter.parse(end: bytes, .lz4) else {
                    return
                }
                bytes = frame.array + bytes.suffix(length)
            }
            let error = #expect(throws: TidemarkError.self) { try read(store, key) }
            #expect(error?.message.contains("SHA-256") == true)
        }
    }

    @Test func `reading starts anywhere`() async throws {
        try await offPool {
            let (store, key, content) = try sealed(.lz4)
            for start in 0...600 {
                let reader = try SegmentReader(store, key)
                reader.skip(to: UInt64(start))
                #expect(try reader.readAll() == Array(content[start...]))
                reader.close()
            }
        }
    }

    @Test(arguments: Compression.allCases)
    func `an open segment is read up to its last whole frame, wherever it is torn`(
        _ compression: Compression
    ) async throws {
        try await offPool {
            let (store, key, content) = try sealed(compression)
            let whole = try #require(store.bytes(key))
            let open = ObjectKey("s/w/1/y.partial")
            for length in stride(from: 0, through: whole.count, by: 3) {
                let torn = Array(whole[..<length])
                for tail in [[], [UInt8](repeating: 0, count: 5000)] {
                    try store.put(open, torn + tail, .replace)
                    let found = try read(store, open)
                    #expect([0, 1, 200, 600].contains(found.count) && content.starts(with: found))
                    let survey = try SegmentReader.survey(store, open, first: 0, bytes: 2000)
                    #expect(survey.contentBytes == UInt64(found.count))
                    // gzip's last length bytes are zeros, so zeros may complete a member.
                    #expect(survey.end <= UInt64(length) || !tail.isEmpty)
                }
            }
        }
    }

    @Test func `a missing segment is not found`() async throws {
        try await offPool {
            for name in ["s/x.lz4", "s/x.gz", "s/x.partial"] {
                let error = #expect(throws: TidemarkError.self) {
                    try SegmentReader(MemoryStore(), ObjectKey(name))
                }
                #expect(error?.code == .notFound)
            }
        }
    }
}
