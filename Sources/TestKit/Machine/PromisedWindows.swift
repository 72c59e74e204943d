import FoundationEssentials
package import Model

/// A document that promises windows of recovery, of its first source: `list --json`, `/api/status`.
package struct PromisedWindows: Decodable, Sendable {
    private struct Source: Decodable {
        var windows: [StatusReport.Window]

        private enum CodingKeys: String, CodingKey { case windows = "recovery_windows" }
    }

    private var sources: [Source]

    package init(_ text: String) throws {
        self = try JSONDecoder().decode(Self.self, from: Data(text.utf8))
    }

    package var all: [StatusReport.Window] { sources[0].windows }

    /// Whether a moment is promised.
    package func contains(_ moment: CommitTime) -> Bool {
        all.contains {
            guard let from = CommitTime($0.from), let to = CommitTime($0.to) else { return false }
            return from <= moment && moment <= to
        }
    }
}
