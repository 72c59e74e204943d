package import Model

/// How a segment writer works; everything has a default but the rotation.
package struct SegmentWriterOptions: Sendable {
    package var rotation: RotationRule
    /// Of new segments; one that a crash left open keeps its own.
    package var compression = Compression.lz4
    /// LZ4 acceleration, see `Compression.encoder`.
    package var acceleration: Int32 = 8
    /// How long a received byte may wait before `shouldFlush` says so, in seconds.
    package var flushInterval = 1.0
    /// Chunks of 1 MiB in flight at most; each also holds its compressed form.
    package var chunks = 12
    /// Content that the pipeline writes between two fdatasyncs when nobody flushes.
    package var syncBytes: UInt64 = 16 << 20
    /// Up to here the archive has to hold every byte of the timeline; nil when nobody knows.
    package var acknowledged: Position?
    /// Whether open segments beside the first one are somebody else's and left alone.
    package var isGuest = false
    /// Called from a worker thread when more became durable or something failed.
    package var wake: @Sendable () -> Void = {}
    /// Called from a worker thread for each sealed segment, with its size in the store.
    package var sealed: @Sendable (SegmentDescriptor, UInt64) -> Void = { _, _ in }
    /// Called when an open segment was found to be damaged, before it is mended.
    package var damaged: @Sendable (DamagedSegment) -> Void = { _ in }
    /// Called with each entry that came late (`TimeIndexEntry.isLate`), before it is durable.
    package var late: @Sendable (HistoryEntry) -> Void = { _ in }
    /// For crash tests; does nothing by default.
    package var failpoint: @Sendable (Failpoint) throws(TidemarkError) -> Void =
        { (_) throws(TidemarkError) in }

    package init(rotation: RotationRule) { self.rotation = rotation }
}
