/// Turns content into frames that stand alone. Owned by one thread at a time.
///
/// A file is a row of frames: LZ4 frames, or gzip members. Standard tools decode the row as one
/// content and skip the notes.
package protocol FrameEncoder: AnyObject {
    var compression: Compression { get }

    /// Appends one complete frame of `content` to `output`, with a checksum of the content.
    ///
    /// - Precondition: `content` is not empty and at most `FrameLimit.content` long.
    func encode(_ content: RawSpan, into output: Buffer)

    /// Appends a note: bytes for this program that standard tools skip.
    ///
    /// - Precondition: at most `FrameLimit.note` bytes.
    func note(_ tag: NoteTag, _ payload: RawSpan, into output: Buffer)
}

extension FrameEncoder {
    /// Appends a note whose payload is an array.
    package func note(_ tag: NoteTag, _ payload: [UInt8], into output: Buffer) {
        note(tag, unsafe payload.span.bytes, into: output)
    }
}

/// Limits of what this program writes, and therefore of what it believes when it reads.
package enum FrameLimit {
    /// Content of one frame: 1 MiB.
    package static let content = 1 << 20
    /// Payload of one note that is kept in memory.
    package static let note = 60_000
}

/// What a note holds. The raw value is the low half of an LZ4 skippable frame's last magic digit:
/// `0x184D2A50 + tag`, whose low byte is then the letter P, R, T, V or X. `0x184D2A5E`, which
/// zstd's seekable format uses, is left alone.
package enum NoteTag: UInt8, Sendable, CaseIterable {
    /// Zeros written ahead of a growing file ("P"); means nothing. LZ4 only.
    case pad = 0x0
    /// What a replay that begins at the segment's start must know ("R"), see `ChangeSink.edge`.
    case state = 0x2
    /// The descriptor at the end of a sealed segment ("T").
    case footer = 0x4
    /// Where the content frame behind it ends ("V"), see `PositionNote`. Only in streams whose
    /// positions do not count bytes.
    case position = 0x6
    /// Commits inside an open segment ("X"), see `HistoryBatch`.
    case history = 0x8
}
