/// Turns a row of frames back into content. Owned by one thread; memory is bounded by one frame.
package protocol FrameDecoder: AnyObject {
    /// Content of the frame decoded last; valid after `.content` until the next call.
    var content: Buffer { get }
    /// True between two frames: everything given so far was complete.
    var isAtBoundary: Bool { get }
    /// Takes bytes off the front of `input`, at most up to the end of one frame. The input may be
    /// split anywhere. An item is returned only when its frame was complete and its checksum right.
    func decode(_ input: RawSpan) throws(FrameDamage) -> DecodedStep
    /// Forgets a frame begun.
    func reset()
}

/// What one call of `FrameDecoder.decode` did.
package struct DecodedStep: Sendable, Equatable {
    package var consumed: Int
    /// Nil when more input is needed, or a frame was skipped.
    package var item: FrameItem?
}

/// A complete, verified frame.
package enum FrameItem: Sendable, Equatable {
    /// The decoder's `content` holds it.
    case content
    /// A note of this program.
    case note(NoteTag, [UInt8])
}

/// The bytes are not what an encoder of this program wrote.
package struct FrameDamage: Error, Sendable, Equatable {
    package var reason: String

    package init(_ reason: String) { self.reason = reason }
}
