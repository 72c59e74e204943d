/// How far a base backup is; reported about once a mebibyte, on the reading thread.
package struct BackupProgress: Sendable, Hashable {
    /// Content read from the source.
    package var bytes: UInt64
    /// The source's own estimate of the whole; 0 when unknown. It may be too low.
    package var estimatedBytes: UInt64
    /// Written to the repository, after compression.
    package var storedBytes: UInt64
}
