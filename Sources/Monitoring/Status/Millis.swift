package import Model

/// A time as the contract's documents write it: ISO 8601, UTC, milliseconds, rounded down.
package struct Millis: Sendable, Hashable, Encodable {
    package var time: CommitTime

    package init(_ time: CommitTime) { self.time = time }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(time.description)
    }
}
