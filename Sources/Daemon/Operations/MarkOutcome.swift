package import Model

/// Which sources have a restore point after `mark`, and how that is told. Pure.
package struct MarkOutcome: Sendable {
    private let name: String
    private var marked: [SourceID] = []
    private var failures: [(source: SourceID, error: TidemarkError)] = []

    package init(_ name: String) { self.name = name }

    /// The point is archived there.
    package mutating func marked(_ source: SourceID) { marked.append(source) }

    /// It is not, or nobody knows.
    package mutating func failed(_ source: SourceID, _ error: TidemarkError) {
        failures.append((source, error))
    }

    /// Nil when every source has it.
    package var error: TidemarkError? {
        guard let first = failures.first else { return nil }
        let missing = failures.map(\.source.name).joined(separator: ", ")
        let has = marked.map(\.name).joined(separator: ", ")
        let told = failures.map { "\($0.source): \($0.error.message)" }.joined(separator: "; ")
        guard !marked.isEmpty else {
            return TidemarkError(
                first.error.code, "no source has the restore point \(name): \(told)",
                remedy: Self.remedy(first.error))
        }
        let only = marked.map { "--source \($0)" }.joined(separator: " ")
        return TidemarkError(
            first.error.code,
            "\(missing) has no restore point \(name), \(has) has it: \(told)",
            remedy: Self.remedy(first.error)
                + "; point:\(name) restores \(has) alone (\(only)): mark all again under "
                + "another name")
    }

    /// A source does not answer, and nothing was written into any.
    package static func refused(_ source: SourceID, _ error: TidemarkError) -> TidemarkError {
        TidemarkError(
            error.code, "no source was marked: \(source): \(error.message)",
            remedy: remedy(error))
    }

    /// What the stream's own errors promise is true of the sidecar, not of a command that ends.
    private static func remedy(_ error: TidemarkError) -> String {
        guard error.code == .sourceUnreachable else { return error.remedy }
        return "mark again when `tidemark status` shows it streaming, and `tidemark check` finds "
            + "nothing wrong"
    }
}
