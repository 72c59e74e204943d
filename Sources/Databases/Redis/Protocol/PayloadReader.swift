package import Model

/// Follows the RDB that answers a PSYNC: keep-alive newlines, the header line, the content.
///
/// `$<length>` CR LF and that many bytes, without a line end behind them; or, for a server that
/// does not know the length (`repl-diskless-sync`), `$EOF:` and forty bytes that come again behind
/// the content. Those forty bytes stay the same for a server's whole life and may stand inside a
/// value; so they end the content only as the last bytes that have arrived, behind the RDB's own
/// end opcode and a matching checksum. Nothing follows them until the replica has sent its first
/// ACK.
package struct PayloadReader: Sendable {
    private enum State: Sendable, Hashable {
        case line
        case counted(left: UInt64)
        case marked([UInt8])
        case done
    }

    private static let endOpcode: UInt8 = 0xff
    private static let checksumBytes = 8
    private static let lineLimit = 1024

    private var state = State.line
    private var line: [UInt8] = []
    /// The last bytes received that the checksum does not cover yet.
    private var held: [UInt8] = []
    private var checksum = CRC64()
    private var lastCovered: UInt8 = 0

    /// Length of the content, when the server told it.
    package private(set) var length: UInt64?
    /// Bytes of the content so far.
    package private(set) var received: UInt64 = 0
    package init() {}

    /// Whether the content is whole.
    package var isDone: Bool { state == .done }
    /// Whether the content began.
    var isInContent: Bool { state != .line && state != .done }
    /// What a server that has no RDB for us says instead.
    package private(set) var refusal: String?

    /// Takes bytes; returns how many belonged to the header or the content, and the range of the
    /// content's among them. Bytes behind that belong to the stream.
    package mutating func take(
        _ bytes: RawSpan
    ) throws(TidemarkError) -> (taken: Int, content: Range<Int>) {
        var i = 0
        while case .line = state {
            guard i < bytes.byteCount else { return (i, i..<i) }
            try takeHeader(bytes.byte(i))
            i += 1
        }
        let first = i
        switch state {
        case .counted(let left):
            let count = Int(min(left, UInt64(bytes.byteCount - i)))
            let part = bytes.extracting(i..<i + count)
            cover(part, holding: Self.checksumBytes)
            received += UInt64(count)
            state = .counted(left: left - UInt64(count))
            if left == UInt64(count) { try finish() }
            return (i + count, first..<i + count)
        case .marked(let marker):
            let part = bytes.extracting(i..<bytes.byteCount)
            cover(part, holding: Self.checksumBytes + marker.count)
            received += UInt64(part.byteCount)
            if held.count == Self.checksumBytes + marker.count,
                held.suffix(marker.count) == marker[...],
                lastCovered == Self.endOpcode, isIntact(held.prefix(Self.checksumBytes))
            {
                state = .done
            }
            return (bytes.byteCount, first..<bytes.byteCount)
        case .line, .done: return (i, i..<i)
        }
    }

    private mutating func takeHeader(_ byte: UInt8) throws(TidemarkError) {
        // The server shows with bare newlines that it is still preparing.
        if line.isEmpty, byte == 10 { return }
        guard byte == 10 else {
            if byte != 13 { line.append(byte) }
            guard line.count <= Self.lineLimit else { throw Self.malformed("an endless line") }
            return
        }
        let text = String(decoding: line, as: UTF8.self)
        line.removeAll()
        if text.hasPrefix("$EOF:") {
            let marker = Array(text.utf8.dropFirst(5))
            guard marker.count == 40 else { throw Self.malformed(text) }
            state = .marked(marker)
        } else if text.hasPrefix("$"), let length = UInt64(text.dropFirst()) {
            guard length > UInt64(Self.checksumBytes) else { throw Self.malformed(text) }
            self.length = length
            state = .counted(left: length)
        } else if text.hasPrefix("-") {
            refusal = String(text.dropFirst())
            state = .done
        } else {
            throw Self.malformed(text)
        }
    }

    /// Adds bytes to the checksum, all but the last `count` received.
    private mutating func cover(_ bytes: RawSpan, holding count: Int) {
        let surplus = held.count + bytes.byteCount - count
        if surplus > 0 {
            let fromHeld = min(surplus, held.count)
            if fromHeld > 0 {
                let oldest = Array(held[..<fromHeld])
                checksum.update(unsafe oldest.span.bytes)
                lastCovered = held[fromHeld - 1]
                held.removeFirst(fromHeld)
            }
            let rest = surplus - fromHeld
            if rest > 0 {
                checksum.update(bytes.extracting(0..<rest))
                lastCovered = bytes.byte(rest - 1)
            }
            bytes.extracting(rest..<bytes.byteCount).append(to: &held)
        } else {
            bytes.append(to: &held)
        }
    }

    private mutating func finish() throws(TidemarkError) {
        state = .done
        guard lastCovered == Self.endOpcode else {
            throw RDBPreamble.damaged("it does not end where it should")
        }
        guard isIntact(held[...]) else { throw RDBPreamble.damaged("its checksum is wrong") }
    }

    /// Zero stands for a server that makes no checksums (`rdbchecksum no`).
    private func isIntact(_ stored: ArraySlice<UInt8>) -> Bool {
        let value = Self.number(stored)
        return value == 0 || value == checksum.value
    }

    /// Whether the RDB carried a checksum. Valid when done.
    package var hasChecksum: Bool { Self.number(held.prefix(Self.checksumBytes)) != 0 }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        var value: UInt64 = 0
        for (index, byte) in bytes.enumerated() { value |= UInt64(byte) << UInt64(8 * index) }
        return value
    }

    private static func malformed(_ line: String) -> TidemarkError {
        TidemarkError(
            .sourceUnreachable,
            "the server answered PSYNC with \(line.prefix(80)) instead of an RDB",
            remedy: "check what stands between: a proxy may not pass replication on")
    }
}
