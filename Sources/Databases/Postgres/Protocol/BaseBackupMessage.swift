package import Model

/// One CopyData payload of BASE_BACKUP since Postgres 15 (manual, "Streaming Replication
/// Protocol").
///
/// `n` name NUL, tablespace path NUL: a new archive. `d` bytes: content of the archive or manifest
/// begun last. `p` Int64: bytes done so far. `m`: the manifest begins. Up to 14 the payload is the
/// bare tar and none of this applies.
package enum BaseBackupMessage: Hashable, Sendable {
    /// `path` is empty for the main data directory.
    case archive(name: String, path: String)
    /// The content is the message from `dataOffset` on; it may be empty.
    case data
    case progress(bytes: UInt64)
    case manifest

    /// Where the content of `.data` starts in the message.
    package static let dataOffset = 1

    package init(_ message: RawSpan) throws(TidemarkError) {
        switch message.byteCount > 0 ? message.byte(0) : 0 {
        case UInt8(ascii: "n"):
            guard let (name, next) = Self.text(message, 1), !name.isEmpty,
                let (path, end) = Self.text(message, next), end == message.byteCount
            else { throw malformedMessage("base backup archive", message) }
            self = .archive(name: name, path: path)
        case UInt8(ascii: "d"): self = .data
        case UInt8(ascii: "p"):
            guard message.byteCount == 9, message.big(1, as: Int64.self) >= 0 else {
                throw malformedMessage("base backup progress", message)
            }
            self = .progress(bytes: message.big(1, as: UInt64.self))
        case UInt8(ascii: "m"):
            guard message.byteCount == 1 else {
                throw malformedMessage("base backup manifest", message)
            }
            self = .manifest
        default: throw malformedMessage("base backup", message)
        }
    }

    /// Text up to a NUL, and the offset after it; nil when the NUL is missing.
    private static func text(_ message: RawSpan, _ start: Int) -> (String, Int)? {
        var bytes: [UInt8] = []
        var offset = start
        while offset < message.byteCount {
            let byte = message.byte(offset)
            offset += 1
            if byte == 0 { return (String(decoding: bytes, as: UTF8.self), offset) }
            bytes.append(byte)
        }
        return nil
    }
}
