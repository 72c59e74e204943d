import Model

/// Reads bytes as they were when it was opened.
final class MemoryReader: ObjectReader {
    private let bytes: [UInt8]
    private var offset: Int

    init(_ bytes: [UInt8], at offset: UInt64) {
        self.bytes = bytes
        self.offset = Int(min(offset, UInt64(bytes.count)))
    }

    var size: UInt64 { UInt64(bytes.count) }

    func read(_ limit: Int) throws(TidemarkError) -> [UInt8] {
        let piece = Array(bytes[offset..<min(bytes.count, offset + limit)])
        offset += piece.count
        return piece
    }

    func close() {}
}
