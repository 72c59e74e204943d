package import Model

/// What we tell the server: `r`, Int64 written, flushed, applied, Int64 clock, Byte reply
/// requested.
///
/// Each position is the last byte plus one. The server believes `flushed` without any check and
/// moves the slot to it, forwards or backwards (`PhysicalConfirmReceivedLocation`, walsender.c); 0
/// means "nothing to say" and leaves the slot alone.
package struct StandbyStatus: Hashable, Sendable {
    /// First byte of the type.
    package static let tag = UInt8(ascii: "r")
    /// Length of the whole message.
    package static let bytes = 34

    package var written: UInt64
    package var flushed: UInt64
    package var applied: UInt64
    /// Our clock.
    package var sent: CommitTime
    /// Asks the server for a keepalive at once.
    package var replyRequested: Bool

    package init(
        written: UInt64, flushed: UInt64, applied: UInt64, sent: CommitTime,
        replyRequested: Bool = false
    ) {
        self.written = written
        self.flushed = flushed
        self.applied = applied
        self.sent = sent
        self.replyRequested = replyRequested
    }

    package init(_ message: RawSpan) throws(TidemarkError) {
        guard message.byteCount == Self.bytes, message.byte(0) == Self.tag else {
            throw malformedMessage("standby status", message)
        }
        written = message.big(1, as: UInt64.self)
        flushed = message.big(9, as: UInt64.self)
        applied = message.big(17, as: UInt64.self)
        sent = CommitTime(postgres: message.big(25, as: Int64.self))
        replyRequested = message.byte(33) != 0
    }

    package func encode(into buffer: inout [UInt8]) {
        buffer.append(Self.tag)
        buffer.appendBig(written)
        buffer.appendBig(flushed)
        buffer.appendBig(applied)
        buffer.appendBig(sent.postgres)
        buffer.append(replyRequested ? 1 : 0)
    }
}
