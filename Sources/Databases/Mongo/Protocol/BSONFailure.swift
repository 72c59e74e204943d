import Model

/// Bytes that are no BSON, or not what they are taken for.
package struct BSONFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// Counted from the start of what was read.
    package let offset: Int
    package let reason: String

    init(_ reason: String, at offset: Int) {
        self.offset = offset
        self.reason = reason
    }

    package var description: String { "\(reason) at byte \(offset)" }

    /// As an error of whoever reads `what`.
    func error(_ code: TidemarkError.Code, in what: String, remedy: String) -> TidemarkError {
        TidemarkError(code, "\(what) is no valid BSON: \(self)", remedy: remedy)
    }
}
