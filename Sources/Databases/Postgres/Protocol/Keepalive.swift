package import Model

/// A sign of life from the server: `k`, Int64 end, Int64 clock, Byte reply requested.
///
/// The manual calls the first field the end of WAL; the server sends what it has *sent*
/// (`WalSndKeepalive`, walsender.c). It says nothing about WAL that is flushed and not yet sent.
package struct Keepalive: Hashable, Sendable {
    /// First byte of the type.
    package static let tag = UInt8(ascii: "k")
    /// Length of the whole message.
    package static let bytes = 18

    /// Everything below it has been sent to us.
    package var sentEnd: UInt64
    /// The server's clock.
    package var sent: CommitTime
    /// The server waits for a status message and ends the connection without one.
    package var replyRequested: Bool

    package init(sentEnd: UInt64, sent: CommitTime, replyRequested: Bool) {
        self.sentEnd = sentEnd
        self.sent = sent
        self.replyRequested = replyRequested
    }

    package init(_ message: RawSpan) throws(TidemarkError) {
        guard message.byteCount == Self.bytes, message.byte(0) == Self.tag else {
            throw malformedMessage("keepalive", message)
        }
        sentEnd = message.big(1, as: UInt64.self)
        sent = CommitTime(postgres: message.big(9, as: Int64.self))
        replyRequested = message.byte(17) != 0
    }

    package func encode(into buffer: inout [UInt8]) {
        buffer.append(Self.tag)
        buffer.appendBig(sentEnd)
        buffer.appendBig(sent.postgres)
        buffer.append(replyRequested ? 1 : 0)
    }
}
