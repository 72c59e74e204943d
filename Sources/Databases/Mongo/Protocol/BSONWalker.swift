/// Walks the elements of one document in place; every length is checked, nothing is copied.
///
/// ```
/// document:  length(4)  element…  00
/// element:   type(1)  name 00  value
/// ```
///
/// All numbers are little-endian; the length counts itself and the last zero (bsonspec.org).
struct BSONWalker {
    /// The next element starts here.
    private(set) var offset: Int
    /// The document's last zero byte.
    let end: Int

    /// - Parameter start: where the document begins in `bytes`; it may end before they do.
    init(_ bytes: Span<UInt8>, at start: Int = 0) throws(BSONFailure) {
        let length = try Self.length(bytes, at: start)
        guard length <= bytes.count - start else {
            throw BSONFailure("a document of \(length) bytes is cut off", at: start)
        }
        end = start + length - 1
        offset = start + 4
        guard bytes[end] == 0 else {
            throw BSONFailure("a document does not end in zero", at: end)
        }
    }

    /// The length that a document claims, which its own bytes need not reach.
    static func length(_ bytes: Span<UInt8>, at start: Int) throws(BSONFailure) -> Int {
        guard start >= 0, bytes.count - start >= 4 else {
            throw BSONFailure("a document's length is cut off", at: start)
        }
        let length = Int(bytes.int32(at: start))
        guard length >= 5, length <= BSONLimit.documentBytes else {
            throw BSONFailure("a document cannot have \(length) bytes", at: start)
        }
        return length
    }

    /// The next element; nil at the end of the document.
    mutating func next(_ bytes: Span<UInt8>) throws(BSONFailure) -> BSONElement? {
        if offset == end { return nil }
        let start = offset
        guard let type = BSONType(rawValue: bytes[start]) else {
            throw BSONFailure("no type has the number \(bytes[start])", at: start)
        }
        let name = try zero(bytes, from: start + 1)
        let value = name + 1
        let length = try valueLength(bytes, type, at: value)
        guard length <= end - value else {
            throw BSONFailure("a value of \(length) bytes is cut off", at: value)
        }
        offset = value + length
        return BSONElement(type: type, name: start + 1..<name, value: value..<offset)
    }

    /// The first zero byte from `start` on.
    private func zero(_ bytes: Span<UInt8>, from start: Int) throws(BSONFailure) -> Int {
        var place = start
        while place < end {
            if bytes[place] == 0 { return place }
            place += 1
        }
        throw BSONFailure("a name has no end", at: start)
    }

    private func valueLength(
        _ bytes: Span<UInt8>, _ type: BSONType, at start: Int
    ) throws(BSONFailure) -> Int {
        switch type {
        case .undefined, .null, .minKey, .maxKey: return 0
        case .boolean: return 1
        case .int32: return 4
        case .double, .date, .timestamp, .int64: return 8
        case .objectID: return 12
        case .decimal: return 16
        case .document, .array, .scopedCode:
            return try prefix(bytes, at: start, least: type == .scopedCode ? 14 : 5)
        case .string, .code, .symbol: return try text(bytes, at: start)
        case .binary: return try prefix(bytes, at: start, least: 0) + 5
        case .pointer: return try text(bytes, at: start) + 12
        case .regex:
            let options = try zero(bytes, from: start) + 1
            return try zero(bytes, from: options) + 1 - start
        }
    }

    /// A string: its length with the zero at its end, then both.
    private func text(_ bytes: Span<UInt8>, at start: Int) throws(BSONFailure) -> Int {
        let length = try prefix(bytes, at: start, least: 1)
        guard length <= end - start - 4, bytes[start + 4 + length - 1] == 0 else {
            throw BSONFailure("a string does not end in zero", at: start)
        }
        return length + 4
    }

    private func prefix(
        _ bytes: Span<UInt8>, at start: Int, least: Int
    ) throws(BSONFailure) -> Int {
        guard end - start >= 4 else { throw BSONFailure("a length is cut off", at: start) }
        let length = Int(bytes.int32(at: start))
        guard length >= least, length <= BSONLimit.documentBytes else {
            throw BSONFailure("a value cannot have \(length) bytes", at: start)
        }
        return length
    }
}

extension Span<UInt8> {
    /// Little-endian; the caller has checked that four bytes are there.
    func int32(at offset: Int) -> Int32 {
        var value: UInt32 = 0
        for place in 0..<4 { value |= UInt32(self[offset + place]) << UInt32(8 * place) }
        return Int32(bitPattern: value)
    }

    /// Little-endian; the caller has checked that eight bytes are there.
    func uint64(at offset: Int) -> UInt64 {
        var value: UInt64 = 0
        for place in 0..<8 { value |= UInt64(self[offset + place]) << UInt64(8 * place) }
        return value
    }
}
