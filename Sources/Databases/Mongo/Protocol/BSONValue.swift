/// One value with its type, as the bytes that stand for it.
///
/// Equal means equal in type and bytes; the server also takes 1 and 1.0 for equal, see
/// `WriteWindow`.
package struct BSONValue: Hashable, Sendable {
    package let type: BSONType
    let bytes: ArraySlice<UInt8>

    init(_ type: BSONType, _ bytes: ArraySlice<UInt8>) {
        self.type = type
        self.bytes = bytes
    }

    private init(_ type: BSONType, _ bytes: [UInt8]) { self.init(type, bytes[...]) }

    // MARK: making

    package static let null = BSONValue(.null, [UInt8]())

    package static func bool(_ value: Bool) -> BSONValue { BSONValue(.boolean, [value ? 1 : 0]) }

    package static func int32(_ value: Int32) -> BSONValue {
        BSONValue(.int32, littleEndian(UInt32(bitPattern: value)))
    }

    package static func int64(_ value: Int64) -> BSONValue {
        BSONValue(.int64, littleEndian(UInt64(bitPattern: value)))
    }

    package static func double(_ value: Double) -> BSONValue {
        BSONValue(.double, littleEndian(value.bitPattern))
    }

    package static func string(_ value: String) -> BSONValue {
        BSONValue(.string, littleEndian(UInt32(value.utf8.count + 1)) + Array(value.utf8) + [0])
    }

    package static func document(_ value: BSONDocument) -> BSONValue {
        BSONValue(.document, value.bytes)
    }

    package static func array(_ values: [BSONValue]) -> BSONValue {
        var writer = BSONWriter()
        for (index, value) in values.enumerated() { writer.append(String(index), value) }
        return BSONValue(.array, writer.finish().bytes)
    }

    package static func timestamp(_ value: OpTime) -> BSONValue {
        BSONValue(.timestamp, littleEndian(value.ordinal))
    }

    package static func date(milliseconds: Int64) -> BSONValue {
        BSONValue(.date, littleEndian(UInt64(bitPattern: milliseconds)))
    }

    package static func binary(_ content: [UInt8], subtype: UInt8 = 0) -> BSONValue {
        BSONValue(.binary, littleEndian(UInt32(content.count)) + [subtype] + content)
    }

    /// - Precondition: twelve bytes.
    package static func objectID(_ bytes: [UInt8]) -> BSONValue {
        precondition(bytes.count == 12, "an ObjectId has twelve bytes")
        return BSONValue(.objectID, bytes)
    }

    package static func uuid(_ value: CollectionUUID) -> BSONValue {
        binary(value.bytes, subtype: CollectionUUID.subtype)
    }

    private static func littleEndian(_ value: some FixedWidthInteger & UnsignedInteger) -> [UInt8] {
        (0..<value.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
    }

    // MARK: reading

    fileprivate var bits: UInt64 { number(UInt64.self) }

    private func number<T: FixedWidthInteger & UnsignedInteger>(_ type: T.Type) -> T {
        var value: T = 0
        for (place, byte) in bytes.prefix(T.bitWidth / 8).enumerated() {
            value |= T(byte) << T(8 * place)
        }
        return value
    }

    /// An integer of either size, or a double that is one; nil for all others.
    package var integer: Int64? {
        switch type {
        case .int32: return Int64(Int32(bitPattern: number(UInt32.self)))
        case .int64: return Int64(bitPattern: number(UInt64.self))
        case .double: return Int64(exactly: Double(bitPattern: number(UInt64.self)))
        default: return nil
        }
    }

    /// True and numbers other than zero, as the server reads flags.
    package var isTrue: Bool {
        switch type {
        case .boolean: bytes.first == 1
        case .int32, .int64: integer != 0
        case .double: Double(bitPattern: number(UInt64.self)) != 0
        default: false
        }
    }

    package var string: String? {
        guard type == .string, bytes.count >= 5 else { return nil }
        return String(decoding: bytes.dropFirst(4).dropLast(), as: UTF8.self)
    }

    package var document: BSONDocument? {
        guard type == .document else { return nil }
        return BSONDocument(sound: Array(bytes))
    }

    /// Elements of an array; nil for other types.
    package var elements: [BSONValue]? {
        guard type == .array else { return nil }
        return BSONDocument(sound: Array(bytes)).fields.map(\.value)
    }

    package var timestamp: OpTime? {
        type == .timestamp ? OpTime(ordinal: number(UInt64.self)) : nil
    }

    /// Milliseconds since 1970.
    package var date: Int64? {
        type == .date ? Int64(bitPattern: number(UInt64.self)) : nil
    }

    /// Content and subtype of a binary value.
    package var binary: (content: ArraySlice<UInt8>, subtype: UInt8)? {
        guard type == .binary, bytes.count >= 5 else { return nil }
        return (bytes.dropFirst(5), bytes[bytes.startIndex + 4])
    }

    package var uuid: CollectionUUID? {
        guard let binary, binary.subtype == CollectionUUID.subtype else { return nil }
        return CollectionUUID(Array(binary.content))
    }
}

extension BSONValue {
    /// A double as text, for messages.
    package var doubleText: String { type == .double ? String(Double(bitPattern: bits)) : "" }
}
