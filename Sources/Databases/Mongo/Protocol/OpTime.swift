/// A BSON timestamp: seconds T and a counter I within them; the oplog's own order.
///
/// As a position it is one number, T in the upper half, which sorts the same way and is what the
/// eight bytes of the timestamp hold.
package struct OpTime: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let ordinal: UInt64

    package static let zero = OpTime(ordinal: 0)

    package init(ordinal: UInt64) { self.ordinal = ordinal }

    package init(seconds: UInt32, increment: UInt32) {
        ordinal = UInt64(seconds) << 32 | UInt64(increment)
    }

    package var seconds: UInt32 { UInt32(truncatingIfNeeded: ordinal >> 32) }
    package var increment: UInt32 { UInt32(truncatingIfNeeded: ordinal) }

    /// `1703678400.1`
    package var description: String { "\(seconds).\(increment)" }

    package static func < (a: OpTime, b: OpTime) -> Bool { a.ordinal < b.ordinal }

    /// Nil for a text that is no `T.I`.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2,
            parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { (48...57).contains($0) } }),
            let seconds = UInt32(parts[0]), let increment = UInt32(parts[1])
        else { return nil }
        self.init(seconds: seconds, increment: increment)
    }
}
