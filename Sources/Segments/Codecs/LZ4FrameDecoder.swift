private import CLZ4

/// Decodes a row of LZ4 frames; hands out content only after its checksum was found right.
@safe
package final class LZ4FrameDecoder: FrameDecoder {
    private enum State {
        /// Collecting a frame's magic number in `head`.
        case magic
        /// Collecting a skippable frame's length in `head`.
        case length
        case keep(NoteTag, remaining: Int)
        case skip(remaining: Int)
        /// The library is inside a frame; true until it has been given the magic in `head`.
        case frame(owesMagic: Bool)
    }

    package let content = Buffer(capacity: FrameLimit.content)
    private let context: OpaquePointer
    private var state = State.magic
    private var head: [UInt8] = []
    private var payload: [UInt8] = []

    package init() {
        var made: OpaquePointer?
        let status = unsafe LZ4F_createDecompressionContext(&made, UInt32(LZ4F_VERSION))
        guard LZ4F_isError(status) == 0, let made = unsafe made else {
            preconditionFailure("no memory for an LZ4 context")
        }
        unsafe context = made
        head.reserveCapacity(8)
    }

    deinit { unsafe LZ4F_freeDecompressionContext(context) }

    package var isAtBoundary: Bool {
        if case .magic = state { head.isEmpty } else { false }
    }

    package func reset() {
        unsafe LZ4F_resetDecompressionContext(context)
        begin()
    }

    private func begin() {
        state = .magic
        head.removeAll(keepingCapacity: true)
    }

    package func decode(_ input: RawSpan) throws(FrameDamage) -> DecodedStep {
        var taken = 0
        while true {
            switch state {
            case .magic:
                taken += collect(4, input, from: taken)
                guard head.count == 4 else { return DecodedStep(consumed: taken, item: nil) }
                try enter(magic: head.loadLittleEndian(UInt32.self, at: 0))
            case .length:
                taken += collect(8, input, from: taken)
                guard head.count == 8 else { return DecodedStep(consumed: taken, item: nil) }
                let tag = NoteTag(rawValue: head[0] & 0xF)
                let length = Int(head.loadLittleEndian(UInt32.self, at: 4))
                if let tag, tag != .pad, length <= FrameLimit.note {
                    payload.removeAll(keepingCapacity: true)
                    state = .keep(tag, remaining: length)
                } else {
                    state = .skip(remaining: length)
                }
            case .keep(let tag, let remaining):
                let part = min(remaining, input.byteCount - taken)
                payload.append(input, taken..<taken + part)
                taken += part
                guard part == remaining else {
                    state = .keep(tag, remaining: remaining - part)
                    return DecodedStep(consumed: taken, item: nil)
                }
                begin()
                return DecodedStep(consumed: taken, item: .note(tag, payload))
            case .skip(let remaining):
                let part = min(remaining, input.byteCount - taken)
                taken += part
                if part == remaining { begin() } else { state = .skip(remaining: remaining - part) }
                return DecodedStep(consumed: taken, item: nil)
            case .frame(owesMagic: true):
                let magic = head
                _ = unsafe try inflate(magic.span.bytes)
                state = .frame(owesMagic: false)
            case .frame(owesMagic: false):
                let (used, isComplete) = try inflate(input.extracting(taken..<input.byteCount))
                taken += used
                guard isComplete else { return DecodedStep(consumed: taken, item: nil) }
                begin()
                // An empty frame is legal and means nothing.
                let item = content.isEmpty ? nil : FrameItem.content
                return DecodedStep(consumed: taken, item: item)
            }
        }
    }

    private func enter(magic: UInt32) throws(FrameDamage) {
        if magic == LZ4Format.magic {
            content.removeAll()
            state = .frame(owesMagic: true)
        } else if magic & ~0xF == LZ4Format.skippableMagic {
            state = .length
        } else {
            throw FrameDamage("no LZ4 frame starts here")
        }
    }

    /// Fills `head` up to `count` bytes.
    private func collect(_ count: Int, _ input: RawSpan, from offset: Int) -> Int {
        let part = min(count - head.count, input.byteCount - offset)
        head.append(input, offset..<offset + part)
        return part
    }

    /// Gives the library input until it has taken all, or the frame is complete.
    private func inflate(
        _ input: RawSpan
    ) throws(FrameDamage) -> (used: Int, isComplete: Bool) {
        var used = 0
        while true {
            var produced = content.room
            var taken = input.byteCount - used
            let status = unsafe input.withUnsafeBytes { source in
                // An empty input has no address, and the library wants one.
                unsafe LZ4F_decompress(
                    context, content.base + content.count, &produced,
                    source.baseAddress.map { unsafe $0 + used } ?? UnsafeRawPointer(content.base),
                    &taken, nil)
            }
            guard LZ4F_isError(status) == 0 else {
                throw FrameDamage(unsafe String(cString: LZ4F_getErrorName(status)))
            }
            content.count += produced
            used += taken
            if status == 0 { return (used, true) }
            if used == input.byteCount, content.room > 0 { return (used, false) }
            if produced == 0 && taken == 0 {
                if used == input.byteCount { return (used, false) }
                throw FrameDamage("a frame holds more than 1 MiB")
            }
        }
    }
}

extension Array<UInt8> {
    /// Appends a part of a span.
    mutating func append(_ span: RawSpan, _ range: Range<Int>) {
        unsafe span.extracting(range).withUnsafeBytes { unsafe append(contentsOf: $0) }
    }
}
