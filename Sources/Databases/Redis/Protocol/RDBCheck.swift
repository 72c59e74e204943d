import Model

/// Checks an RDB that passes by: its header, its end and its checksum.
struct RDBCheck: Sendable {
    private var beginning: [UInt8] = []
    private var preamble: RDBPreamble?
    /// Size of the stream's file before its first byte.
    private var filesStart: UInt64 = 0
    private var held: [UInt8] = []
    private var checksum = CRC64()

    mutating func take(_ bytes: RawSpan) {
        if beginning.count < RDBPreamble.limit {
            let count = min(bytes.byteCount, RDBPreamble.limit - beginning.count)
            bytes.extracting(0..<count).append(to: &beginning)
        }
        guard held.count + bytes.byteCount > 8 else {
            bytes.append(to: &held)
            return
        }
        // All but the last eight bytes are covered by the checksum.
        let fromHeld = min(held.count, held.count + bytes.byteCount - 8)
        let oldest = Array(held[..<fromHeld])
        checksum.update(unsafe oldest.span.bytes)
        held.removeFirst(fromHeld)
        let rest = bytes.byteCount - (8 - held.count)
        if rest > 0 { checksum.update(bytes.extracting(0..<rest)) }
        bytes.extracting(max(0, rest)..<bytes.byteCount).append(to: &held)
    }

    func finish() throws(TidemarkError) -> RDBPreamble {
        guard let preamble = try RDBPreamble(beginning) else {
            throw RDBPreamble.damaged("it ends within its header")
        }
        var stored: UInt64 = 0
        for (index, byte) in held.enumerated() { stored |= UInt64(byte) << UInt64(8 * index) }
        guard held.count == 8, stored == 0 || stored == checksum.value else {
            throw RDBPreamble.damaged("its checksum is wrong")
        }
        return preamble
    }
}
