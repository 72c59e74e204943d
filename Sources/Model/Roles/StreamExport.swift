/// Writes a stretch of the stream as one file of the database's own format, fed in order from the
/// start of the segment that holds the stretch's first byte.
package protocol StreamExport: AnyObject {
    /// Plain name of the file.
    var name: String { get }
    /// The index of the segment whose bytes come next, and what the room told of its start.
    func index(_ entries: [TimeIndexEntry], state: String?)
    /// Takes the next bytes and hands on what goes into the file; lent for the call only.
    func take(
        _ bytes: RawSpan, at first: UInt64, _ write: (RawSpan) throws(TidemarkError) -> Void
    ) throws(TidemarkError)
    /// After the last byte: the length to which the file is to be cut.
    func finish() throws(TidemarkError) -> UInt64
}

/// What a room is told of a stretch to export.
package struct StreamExportOrder: Sendable {
    package var descriptor: SourceDescriptor
    /// The history that the stretch lies on.
    package var timeline: TimelineID
    /// Both ends are edges of the stream.
    package var first: UInt64
    package var last: UInt64
    /// What the base backup knows of `first`, where that is its start; else empty.
    package var state: String

    package init(
        descriptor: SourceDescriptor, timeline: TimelineID, first: UInt64, last: UInt64,
        state: String
    ) {
        self.descriptor = descriptor
        self.timeline = timeline
        self.first = first
        self.last = last
        self.state = state
    }
}
