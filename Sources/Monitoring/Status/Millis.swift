package import Model

/// A time as the contract's documents write it: ISO 8601, UTC, milliseconds, rounded down
/// unless said otherwise.
package struct Millis: Sendable, Hashable, Encodable {
    package var time: CommitTime

    package init(_ time: CommitTime) { self.time = time }

    /// For the earliest moment of something: what is printed is never before it.
    package static func notBefore(_ time: CommitTime) -> Millis {
        let (whole, part) = time.microseconds.quotientAndRemainder(dividingBy: 1000)
        return Millis(part > 0 ? CommitTime(microseconds: whole * 1000 + 1000) : time)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(time.description)
    }
}
