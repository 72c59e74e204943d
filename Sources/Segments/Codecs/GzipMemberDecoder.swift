private import CZlib

/// Decodes a row of gzip members; hands out content only after its checksum was found right.
@safe
package final class GzipMemberDecoder: FrameDecoder {
    private enum State {
        /// Collecting the signature and the flags in `head`.
        case head
        /// Collecting an empty member of this program in `head`.
        case note
        /// The library is inside a member; true until it has been given what is in `head`.
        case member(owesHead: Bool)
    }

    package let content = Buffer(capacity: FrameLimit.content)
    /// zlib remembers the address of the stream, so it must not move.
    private let stream: UnsafeMutablePointer<z_stream>
    private var state = State.head
    private var head: [UInt8] = []

    package init() {
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        // Window bits 31: a gzip header is required.
        let status = unsafe inflateInit2_(
            stream, 31, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        precondition(status == Z_OK, "no memory for an inflate state")
    }

    deinit {
        unsafe inflateEnd(stream)
        unsafe stream.deallocate()
    }

    package var isAtBoundary: Bool {
        if case .head = state { head.isEmpty } else { false }
    }

    package func reset() {
        unsafe inflateReset(stream)
        state = .head
        head.removeAll(keepingCapacity: true)
    }

    package func decode(_ input: RawSpan) throws(FrameDamage) -> DecodedStep {
        var taken = 0
        while true {
            switch state {
            case .head:
                let part = min(4 - head.count, input.byteCount - taken)
                head.append(input, taken..<taken + part)
                taken += part
                guard head.count == 4 else { return DecodedStep(consumed: taken, item: nil) }
                try enter()
            case .note:
                guard let note = try collectNote(input, &taken) else {
                    return DecodedStep(consumed: taken, item: nil)
                }
                reset()
                return DecodedStep(consumed: taken, item: note)
            case .member(owesHead: true):
                let magic = head
                _ = unsafe try inflate(magic.span.bytes)
                state = .member(owesHead: false)
            case .member(owesHead: false):
                let (used, isComplete) = try inflate(input.extracting(taken..<input.byteCount))
                taken += used
                guard isComplete else { return DecodedStep(consumed: taken, item: nil) }
                reset()
                // An empty member is legal and means nothing.
                let item = content.isEmpty ? nil : FrameItem.content
                return DecodedStep(consumed: taken, item: item)
            }
        }
    }

    private func enter() throws(FrameDamage) {
        guard head.loadLittleEndian(UInt32.self, at: 0) & 0xFF_FFFF == GzipFormat.magic else {
            throw FrameDamage("no gzip member starts here")
        }
        if head[3] & GzipFormat.extraFlag != 0 {
            state = .note
        } else {
            content.removeAll()
            state = .member(owesHead: true)
        }
    }

    /// Takes bytes until the note in `head` is complete; notes are short, so byte by byte is fine.
    private func collectNote(
        _ input: RawSpan, _ taken: inout Int
    ) throws(FrameDamage) -> FrameItem? {
        while taken < input.byteCount {
            head.append(input, taken..<taken + 1)
            taken += 1
            if let note = try completeNote() { return note }
            guard head.count < GzipFormat.noteLimit else { throw FrameDamage("a note has no end") }
        }
        return nil
    }

    /// The note in `head`, once its last byte is there.
    private func completeNote() throws(FrameDamage) -> FrameItem? {
        guard head.count >= 17 else { return nil }
        let length = Int(head.loadLittleEndian(UInt16.self, at: 10))
        guard length >= 5, Array(head[12..<14]) == GzipFormat.subfield,
            Int(head.loadLittleEndian(UInt16.self, at: 14)) == length - 4
        else { throw FrameDamage("an extra field is not of this program") }
        guard head.count >= 12 + length + GzipFormat.emptyBody.count else { return nil }
        if head[3] & GzipFormat.commentFlag != 0 {
            // The comment ends at the first zero, which the ten bytes of an empty body follow.
            guard head[head.count - GzipFormat.emptyBody.count - 1] == 0,
                head.suffix(GzipFormat.emptyBody.count) == GzipFormat.emptyBody[...]
            else { return nil }
        } else if head.suffix(GzipFormat.emptyBody.count) != GzipFormat.emptyBody[...] {
            throw FrameDamage("a note is followed by content")
        }
        guard let tag = NoteTag(rawValue: head[16]) else { throw FrameDamage("unknown note") }
        return .note(tag, Array(head[17..<12 + length]))
    }

    /// Gives the library input until it has taken all, or the member is complete.
    private func inflate(
        _ input: RawSpan
    ) throws(FrameDamage) -> (used: Int, isComplete: Bool) {
        let status = unsafe input.withUnsafeBytes { source in
            unsafe stream.pointee.next_in = UnsafeMutablePointer(
                mutating: source.assumingMemoryBound(to: UInt8.self).baseAddress)
            unsafe stream.pointee.avail_in = UInt32(source.count)
            unsafe stream.pointee.next_out =
                (content.base + content.count).assumingMemoryBound(to: UInt8.self)
            unsafe stream.pointee.avail_out = UInt32(content.room)
            return unsafe CZlib.inflate(stream, Z_NO_FLUSH)
        }
        let used = unsafe input.byteCount - Int(stream.pointee.avail_in)
        unsafe content.count = content.capacity - Int(stream.pointee.avail_out)
        switch status {
        case Z_STREAM_END: return (used, true)
        case Z_OK, Z_BUF_ERROR:
            // A full output may still owe the trailer; only input left over means too much.
            guard used == input.byteCount else { throw FrameDamage("a member exceeds 1 MiB") }
            return (used, false)
        default:
            let reason = unsafe stream.pointee.msg.map { unsafe String(cString: $0) }
            throw FrameDamage(reason ?? "zlib error \(status)")
        }
    }
}
