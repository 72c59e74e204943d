import Model

/// What an open segment knows of its commits, as notes between its frames.
///
/// Each flush writes the commits of its bytes just before them, so that a segment left behind by a
/// crash can be sealed with its whole index, and a reader of the open segment knows its times. A
/// note counts only when the content frame behind it is whole.
///
/// ```
/// CRC-32 of what follows(4)
/// number of stretches(2), each: position(8) earliest(8) latest(8)
/// number of restore points(2), each: position(8) time(8) length of the name(2) name in UTF-8
/// ```
///
/// Little-endian; times in microseconds since 1970.
enum HistoryNote {
    private static let pointBytes = 18

    /// As many notes as are needed; none for an empty index.
    static func encode(_ index: SegmentIndex) -> [[UInt8]] {
        var notes: [[UInt8]] = []
        var stretches = index.stretches[...]
        var points = index.restorePoints[...]
        while !stretches.isEmpty || !points.isEmpty {
            let some = stretches.prefix(SegmentIndex.limit)
            stretches = stretches.dropFirst(some.count)
            var body: [UInt8] = []
            body.append(littleEndian: UInt16(some.count))
            for stretch in some {
                body.append(littleEndian: stretch.position)
                body.append(littleEndian: UInt64(bitPattern: stretch.earliest.microseconds))
                body.append(littleEndian: UInt64(bitPattern: stretch.latest.microseconds))
            }
            append(&points, to: &body)
            var note: [UInt8] = []
            note.append(littleEndian: GzipFormat.checksum(body))
            notes.append(note + body)
        }
        return notes
    }

    /// Takes points off the front while the note stays below its limit.
    private static func append(
        _ points: inout ArraySlice<EmbeddedRestorePoint>, to body: inout [UInt8]
    ) {
        var part: [UInt8] = []
        var count: UInt16 = 0
        while let point = points.first {
            // A name is a few dozen bytes; a longer one is cut rather than refused.
            let name = Array(point.name.utf8.prefix(4096))
            guard body.count + part.count + name.count + pointBytes + 6 <= FrameLimit.note else {
                break
            }
            part.append(littleEndian: point.position)
            part.append(littleEndian: UInt64(bitPattern: point.time.microseconds))
            part.append(littleEndian: UInt16(name.count))
            part += name
            count += 1
            points.removeFirst()
        }
        body.append(littleEndian: count)
        body += part
    }

    /// Whether a note's checksum is right.
    static func isWhole(_ note: [UInt8]) -> Bool {
        note.count >= 8
            && note.loadLittleEndian(UInt32.self, at: 0) == GzipFormat.checksum(Array(note[4...]))
    }

    /// Adds what a note says to `index`; false when it is not a note of this format.
    static func decode(_ note: [UInt8], into index: inout SegmentIndex) -> Bool {
        guard let (stretches, points) = decode(note) else { return false }
        for stretch in stretches { index.add(stretch) }
        for point in points { index.add(point) }
        return true
    }

    /// What a note says, stretch by stretch; nil when it is not a note of this format.
    static func decode(
        _ note: [UInt8]
    ) -> (stretches: [TimeIndexEntry], points: [EmbeddedRestorePoint])? {
        guard isWhole(note) else { return nil }
        var scanner = NoteScanner(note, from: 4)
        var stretches: [TimeIndexEntry] = []
        var points: [EmbeddedRestorePoint] = []
        for _ in 0..<(scanner.number(UInt16.self) ?? 0) {
            guard let position = scanner.number(UInt64.self), let earliest = scanner.time(),
                let latest = scanner.time()
            else { return nil }
            stretches.append(
                TimeIndexEntry(position: position, earliest: earliest, latest: latest))
        }
        for _ in 0..<(scanner.number(UInt16.self) ?? 0) {
            guard let position = scanner.number(UInt64.self), let time = scanner.time(),
                let length = scanner.number(UInt16.self), let name = scanner.text(Int(length))
            else { return nil }
            points.append(EmbeddedRestorePoint(name: name, position: position, time: time))
        }
        return scanner.isAtEnd ? (stretches, points) : nil
    }
}

/// Takes numbers off the front of a note.
private struct NoteScanner {
    private let bytes: [UInt8]
    private var offset: Int

    init(_ bytes: [UInt8], from offset: Int) {
        self.bytes = bytes
        self.offset = offset
    }

    var isAtEnd: Bool { offset == bytes.count }

    mutating func number<T: FixedWidthInteger & UnsignedInteger>(_ type: T.Type) -> T? {
        guard offset + T.bitWidth / 8 <= bytes.count else { return nil }
        defer { offset += T.bitWidth / 8 }
        return bytes.loadLittleEndian(type, at: offset)
    }

    mutating func time() -> CommitTime? {
        number(UInt64.self).map { CommitTime(microseconds: Int64(bitPattern: $0)) }
    }

    mutating func text(_ length: Int) -> String? {
        guard offset + length <= bytes.count else { return nil }
        defer { offset += length }
        return String(decoding: bytes[offset..<offset + length], as: UTF8.self)
    }
}
