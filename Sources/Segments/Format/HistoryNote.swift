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

    /// Lends as many notes as are needed; none for an empty index.
    ///
    /// - Parameter scratch: Holds a note while it is lent; its content is lost.
    static func encode(
        _ index: SegmentIndex, _ scratch: Buffer, _ take: (RawSpan) -> Void
    ) {
        let stretches = index.stretches
        let points = index.restorePoints
        var stretch = 0
        var point = 0
        while stretch < stretches.count || point < points.count {
            let end = min(stretches.count, stretch + SegmentIndex.limit)
            scratch.removeAll()
            scratch.append(littleEndian: UInt32(0))
            scratch.append(littleEndian: UInt16(end - stretch))
            for stretch in stretches[stretch..<end] {
                scratch.append(littleEndian: stretch.position)
                scratch.append(littleEndian: stretch.earliest.microseconds)
                scratch.append(littleEndian: stretch.latest.microseconds)
            }
            stretch = end
            point = append(points, from: point, to: scratch)
            let checksum = scratch.withBytes(4..<scratch.count) { GzipFormat.checksum($0) }
            scratch.store(littleEndian: checksum, at: 0)
            scratch.withBytes(take)
        }
    }

    /// Takes points while the note stays below its limit; returns the first one left.
    private static func append(
        _ points: [EmbeddedRestorePoint], from first: Int, to note: Buffer
    ) -> Int {
        let count = note.count
        note.append(littleEndian: UInt16(0))
        var next = first
        while next < points.count {
            let point = points[next]
            // A name is a few dozen bytes; a longer one is cut rather than refused.
            let name = Array(point.name.utf8.prefix(4096))
            guard note.count + name.count + pointBytes <= FrameLimit.note else { break }
            note.append(littleEndian: point.position)
            note.append(littleEndian: point.time.microseconds)
            note.append(littleEndian: UInt16(name.count))
            note.append(name)
            next += 1
        }
        note.store(littleEndian: UInt16(next - first), at: count)
        return next
    }

    /// Whether a note's checksum is right.
    static func isWhole(_ note: [UInt8]) -> Bool {
        guard note.count >= 8 else { return false }
        let checksum = GzipFormat.checksum(unsafe note.span.bytes.extracting(4...))
        return note.loadLittleEndian(UInt32.self, at: 0) == checksum
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
