package import Model

/// What verification must know of a database: how its stream is named and its timelines descend.
package struct VerificationRules: Sendable {
    package var style: any PositionStyle
    /// The places where the history of a timeline left its ancestors, oldest first, by the contents
    /// of its documents; empty for a first timeline. Throws `archiveDamaged` for nonsense.
    package var ancestors:
        @Sendable (TimelineID, [String: [UInt8]]) throws(TidemarkError) -> [Position]

    /// Reads the stream itself, from the start of a segment of this timeline on, and throws
    /// `archiveDamaged` where it does not hang together; nil where only checksums can tell.
    package var scan: @Sendable (TimelineID) -> (any HistoryScan)?

    /// Looks for what does not fit together inside a base backup; nil where nothing is known.
    package var content: @Sendable (BaseBackupDescriptor) -> (any BaseBackupCheck)?

    package init(
        style: any PositionStyle,
        scan: @escaping @Sendable (TimelineID) -> (any HistoryScan)? = { _ in nil },
        content: @escaping @Sendable (BaseBackupDescriptor) -> (any BaseBackupCheck)? = { _ in
            nil
        },
        ancestors:
            @escaping @Sendable (TimelineID, [String: [UInt8]]) throws(TidemarkError)
            -> [Position]
    ) {
        self.style = style
        self.scan = scan
        self.content = content
        self.ancestors = ancestors
    }
}
