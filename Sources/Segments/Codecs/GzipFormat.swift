private import CZlib

/// The numbers of RFC 1952, and how a note lies in a file of gzip members.
///
/// gzip has no skippable frame, so a note is an empty member, which decodes to nothing:
///
/// ```
/// 1f 8b 08 FLG 00 00 00 00 00 03          FLG: 04 extra field, or 14 extra field and comment
/// XLEN(2)  'T' 'M' LEN(2)  tag(1) ...      the extra field: one subfield, of this program
/// comment 00                               FLG 14 only: printable ASCII
/// 03 00  00 00 00 00  00 00 00 00          the empty deflate stream, its CRC and its length
/// ```
package enum GzipFormat {
    /// First three bytes: the signature and the only method, deflate.
    package static let magic: UInt32 = 0x08_8B1F
    static let extraFlag: UInt8 = 0x04
    static let commentFlag: UInt8 = 0x10
    static let subfield: [UInt8] = Array("TM".utf8)
    static let emptyBody: [UInt8] = [3, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    /// Longest note with its comment that is believed.
    static let noteLimit = 4 << 20

    /// An empty member that carries `extra`, and `comment` when it is not empty.
    package static func note(_ tag: NoteTag, extra: [UInt8], comment: [UInt8] = []) -> [UInt8] {
        precondition(extra.count < 65_000, "an extra field is at most 64 KiB long")
        precondition(comment.allSatisfy { (0x20..<0x7F).contains($0) }, "a comment is ASCII text")
        let flags = comment.isEmpty ? extraFlag : extraFlag | commentFlag
        var member: [UInt8] = [0x1F, 0x8B, 8, flags, 0, 0, 0, 0, 0, 3]
        member.append(littleEndian: UInt16(extra.count + 5))
        member += subfield
        member.append(littleEndian: UInt16(extra.count + 1))
        member.append(tag.rawValue)
        member += extra
        if !comment.isEmpty { member += comment + [0] }
        return member + emptyBody
    }

    /// CRC-32 (IEEE) of bytes, as gzip and this program's notes use it.
    package static func checksum(_ bytes: [UInt8]) -> UInt32 {
        checksum(unsafe bytes.span.bytes)
    }

    /// CRC-32 (IEEE) of lent bytes.
    package static func checksum(_ bytes: RawSpan) -> UInt32 {
        unsafe bytes.withUnsafeBytes { part in
            let first = unsafe part.assumingMemoryBound(to: UInt8.self).baseAddress
            return unsafe UInt32(CZlib.crc32(0, first, UInt32(part.count)))
        }
    }
}
