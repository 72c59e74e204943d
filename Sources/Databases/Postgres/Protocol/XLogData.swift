package import Model

/// A stretch of WAL from the server: `w`, Int64 start, Int64 end of WAL, Int64 clock, bytes.
///
/// Manual, "Streaming Replication Protocol". The bytes follow the header; at most 128 KiB of them.
package struct XLogData: Hashable, Sendable {
    /// First byte of the type.
    package static let tag = UInt8(ascii: "w")
    /// Length of everything before the WAL bytes, tag included.
    package static let headerBytes = 25

    /// Address of the first WAL byte of this message.
    package var start: UInt64
    /// The server's flush position when it read the bytes.
    package var serverEnd: UInt64
    /// The server's clock when it sent them.
    package var sent: CommitTime

    package init(start: UInt64, serverEnd: UInt64, sent: CommitTime) {
        self.start = start
        self.serverEnd = serverEnd
        self.sent = sent
    }

    /// Reads the header of a CopyData payload; the WAL bytes are the rest from `headerBytes` on.
    package init(_ message: RawSpan) throws(TidemarkError) {
        guard message.byteCount >= Self.headerBytes, message.byte(0) == Self.tag else {
            throw malformedMessage("XLogData", message)
        }
        start = message.big(1, as: UInt64.self)
        serverEnd = message.big(9, as: UInt64.self)
        sent = CommitTime(postgres: message.big(17, as: Int64.self))
        let (_, overflow) = start.addingReportingOverflow(
            UInt64(message.byteCount - Self.headerBytes))
        if overflow { throw malformedMessage("XLogData", message) }
    }

    /// The header alone; the WAL bytes are appended by the caller.
    package func encode(into buffer: inout [UInt8]) {
        buffer.append(Self.tag)
        buffer.appendBig(start)
        buffer.appendBig(serverEnd)
        buffer.appendBig(sent.postgres)
    }
}

/// The error of every message that cannot be read.
func malformedMessage(_ kind: String, _ message: RawSpan) -> TidemarkError {
    let first = message.byteCount > 0 ? "first byte \(message.byte(0))" : "no byte"
    return TidemarkError(
        .sourceUnreachable,
        "the server sent a malformed \(kind) message (\(message.byteCount) bytes, \(first))",
        remedy: "make sure that nothing between Tidemark and the server changes the connection")
}
