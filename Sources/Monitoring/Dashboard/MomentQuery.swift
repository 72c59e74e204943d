package import Model

/// What `/api/moment` was asked.
package struct MomentQuery: Sendable, Hashable {
    package var at: CommitTime

    /// - Parameter parameters: decoded.
    package init(_ parameters: [(name: String, value: String)]) throws(TidemarkError) {
        if let other = parameters.first(where: { $0.name != "at" }) {
            throw Self.wrong("\(Self.shown(other.name)) is no parameter of this path")
        }
        guard let text = parameters.first?.value else { throw Self.wrong("no moment is given") }
        guard parameters.count == 1 else { throw Self.wrong("more than one moment is given") }
        guard let at = CommitTime(text) else {
            throw Self.wrong("\(Self.shown(text)) is no time with a zone")
        }
        self.at = at
    }

    /// Throws `usage` when a path that takes no parameters got some.
    package static func nothing(_ names: [String]) throws(TidemarkError) {
        guard let name = names.first else { return }
        throw TidemarkError(
            .usage, "\(shown(name)) is no parameter of this path", remedy: "leave it out")
    }

    private static func wrong(_ message: String) -> TidemarkError {
        TidemarkError(.usage, message, remedy: "ask for ?at=2026-11-24T12:00:00.250Z")
    }

    /// As much of what was sent as a reader needs to know it again.
    private static func shown(_ text: String) -> String {
        text.count > 60 ? text.prefix(60) + "…" : text
    }
}
