/// Reads what the archive has before a stream's start, so that a room can see whether the two join.
package struct ArchivedBytes: Sendable {
    /// Lends the bytes of a stretch in order, in pieces of any size; false when the archive does
    /// not have all of them, or not whole.
    package typealias Read =
        @Sendable (
            _ range: PositionRange, _ body: (RawSpan) throws(TidemarkError) -> Void
        ) throws(TidemarkError) -> Bool

    package var read: Read

    package init(read: @escaping Read) { self.read = read }
}
