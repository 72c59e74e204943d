package import Model

/// An open segment that does not hold what was acknowledged, or that no crash can have left so.
package struct DamagedSegment: Sendable {
    package var key: ObjectKey
    /// Where in the file the last whole frame ends.
    package var offset: UInt64
    /// Where its whole content ends.
    package var end: Position
    /// Up to where the archive had to hold every byte; nil when nobody knows.
    package var acknowledged: UInt64?
    /// Where in the file whole frames go on; nil when none do.
    package var resumesAt: UInt64?
    /// What the file was copied to; nil when it only ends too early, with nothing to cut off.
    package var copy: ObjectKey?
}
