/// When a segment is closed and the next one begun.
package enum RotationRule: Sendable, Hashable {
    /// At multiples of `bytes`, whatever the content: Postgres's own WAL segments.
    case aligned(bytes: UInt64)
    /// At the first edge (`ChangeSink.edge`) where the content has reached `bytes`, or the segment
    /// `age` seconds.
    case size(bytes: UInt64, age: Double)

    /// How long a segment becomes, about.
    package var bytes: UInt64 {
        switch self {
        case .aligned(let bytes), .size(let bytes, _): bytes
        }
    }

    /// The end of a segment that starts at `first`; nil when it is not known beforehand.
    package func end(from first: UInt64) -> UInt64? {
        switch self {
        case .aligned(let bytes): first - first % bytes + bytes
        case .size: nil
        }
    }
}
