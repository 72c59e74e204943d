import Model

/// Compares re-sent bytes with what the archive holds of them.
///
/// Nothing archived is ever overwritten: the same place with other bytes is an error.
final class Comparison {
    /// Where the archived bytes end.
    let end: UInt64
    private let context: WriterContext
    private var sealed: ArraySlice<TimelineFolder.Sealed>
    private let open: (range: PositionRange, file: OpenSegmentFile)?
    private var segment: SegmentReader?
    private var frames: FrameReader?
    private var cursor = ContentCursor()

    init(_ start: TimelineStart, _ context: WriterContext) {
        self.context = context
        end = start.archivedEnd
        sealed = start.sealed[...]
        open = start.open.map { ($0.range, $0.file) }
    }

    /// Compares bytes, all of them below `end`; `position` follows the last call without a hole.
    func compare(_ bytes: RawSpan, at position: UInt64) throws(TidemarkError) {
        precondition(position + UInt64(bytes.byteCount) <= end, "only archived bytes are compared")
        var from = 0
        while from < bytes.byteCount {
            if cursor.isEmpty { cursor = ContentCursor(try nextContent()) }
            let same = cursor.match(bytes.extracting(from..<bytes.byteCount))
            from += same.length
            guard same.isEqual else {
                throw ContentConflict.error(
                    key, at: position + UInt64(from),
                    holdsOtherThan: "\(context.source) sends now", context)
            }
        }
    }

    func close() { segment?.close() }

    private var key: ObjectKey {
        segment?.key ?? open?.file.key ?? ObjectKey(context.source.name)
    }

    /// Content of the next archived frame; nil when the archive holds less than it claimed.
    private func nextContent() throws(TidemarkError) -> Buffer? {
        while true {
            if let segment {
                if try segment.nextFrame() { return try segment.currentContent() }
                segment.close()
                self.segment = nil
            }
            if let next = sealed.popFirst() {
                segment = try SegmentReader(context.store, next.key)
                continue
            }
            if frames == nil { frames = open?.file.reader() }
            while let item = try frames?.next() {
                if item == .content { return frames?.content }
            }
            return nil
        }
    }
}
