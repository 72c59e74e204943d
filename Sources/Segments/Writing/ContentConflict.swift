import Model

/// The error of "the same place with other bytes"; always names both sides.
enum ContentConflict {
    static func error(
        _ key: ObjectKey, at position: UInt64, holdsOtherThan other: String,
        _ context: WriterContext
    ) -> TidemarkError {
        TidemarkError(
            .contentConflict,
            "\(key) holds other bytes than \(other), "
                + "first at \(context.style.text(position))",
            remedy: "find out which of the two is right: two servers may have run on this "
                + "timeline; archive the new one under another source name")
    }
}

extension SegmentReader {
    /// Throws `contentConflict` unless this segment begins with all that `file` holds.
    ///
    /// - Parameter first: Where both start.
    func requireSame(
        as file: OpenSegmentFile, from first: UInt64, _ context: WriterContext
    ) throws(TidemarkError) {
        let other = file.reader()
        var own = ContentCursor()
        var position = first
        while let item = try other.next() {
            guard item == .content else { continue }
            var from = 0
            while from < other.content.count {
                if own.isEmpty { own = ContentCursor(try nextFrame() ? currentContent() : nil) }
                let same = own.match(other.content, from: from)
                position += UInt64(same.length)
                from += same.length
                guard same.isEqual else {
                    throw ContentConflict.error(
                        key, at: position, holdsOtherThan: "\(file.key)", context)
                }
            }
        }
    }
}

/// The rest of a frame's content that has not been compared.
struct ContentCursor {
    private var buffer: Buffer?
    private var offset = 0

    init(_ buffer: Buffer? = nil) { self.buffer = buffer }

    var isEmpty: Bool { offset == buffer?.count ?? 0 }

    /// Compares with the bytes of `other` from `from` on and steps over what is equal.
    ///
    /// Returns how many bytes were equal; `isEqual` is false when a differing byte, or this side's
    /// end, comes right after them.
    mutating func match(_ other: Buffer, from: Int) -> (length: Int, isEqual: Bool) {
        unsafe match(
            UnsafeRawBufferPointer(
                start: other.base + from, count: other.count - from))
    }

    /// As above for borrowed bytes.
    mutating func match(_ bytes: RawSpan) -> (length: Int, isEqual: Bool) {
        unsafe bytes.withUnsafeBytes { unsafe match($0) }
    }

    private mutating func match(
        _ bytes: UnsafeRawBufferPointer
    ) -> (length: Int, isEqual: Bool) {
        guard let buffer, !isEmpty else { return (0, false) }
        let length = min(buffer.count - offset, bytes.count)
        let own = unsafe UnsafeRawBufferPointer(start: buffer.base + offset, count: length)
        let same = unsafe ByteComparison.commonPrefix(own, bytes)
        offset += same
        return (same, same == length)
    }
}
