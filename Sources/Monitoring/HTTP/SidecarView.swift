package import Model

/// What the HTTP side asks of the running sidecar. Every call answers from memory, at once: a
/// database or a repository that hangs never makes a page hang.
package protocol SidecarView: Sendable {
    /// How every source stands at this moment.
    func status() -> StatusDocument
    /// Whether every source has been streamed from at least once in this run.
    var isReady: Bool { get }
    /// What was counted since the program started, in the order of `status`.
    func counters() -> [(source: SourceID, kind: DatabaseKind, values: SourceCounters.Values)]
    /// What the repository holds, as of the last look at it; nil before the first.
    func stored() -> StoredBytes?
}

/// What lies in the repository.
package struct StoredBytes: Sendable, Hashable {
    /// By source: bytes of segments, of base backups, and how many of each.
    package struct Source: Sendable, Hashable {
        package var segments: Int
        package var segmentBytes: UInt64
        package var backups: Int
        package var backupBytes: UInt64

        package init(segments: Int, segmentBytes: UInt64, backups: Int, backupBytes: UInt64) {
            self.segments = segments
            self.segmentBytes = segmentBytes
            self.backups = backups
            self.backupBytes = backupBytes
        }
    }

    package var sources: [SourceID: Source]

    package init(sources: [SourceID: Source]) { self.sources = sources }
}
