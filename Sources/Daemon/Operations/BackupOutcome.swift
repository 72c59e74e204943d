package import Model

/// What `backup` came to: every source is tried, whatever became of those before it.
package struct BackupOutcome: Sendable {
    /// In order.
    package var taken: [BaseBackupDescriptor] = []
    var failures: [(source: SourceID, error: TidemarkError)] = []

    /// What the command ends with: all failures, with the first one's exit status; nil when every
    /// base backup was taken.
    package var failure: TidemarkError? {
        guard let first = failures.first else { return nil }
        if taken.isEmpty, failures.count == 1 { return first.error }
        let reasons = failures.map { failure in
            let cause = (failure.error.cause as? TidemarkError).map { ": " + $0.message } ?? ""
            return "\(failure.source): \(failure.error.message)\(cause)"
        }
        let advice = first.error.remedy.isEmpty ? [] : [first.error.remedy]
        let done =
            taken.isEmpty
            ? [] : ["taken: " + taken.map(\.source.name).joined(separator: ", ")]
        return TidemarkError(
            first.error.code, "no base backup of " + reasons.joined(separator: "; of "),
            remedy: (advice + done).joined(separator: "; "))
    }
}
