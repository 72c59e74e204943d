package import Model

/// `mark`: a named restore point in every source at once, and a wait until all are archived.
package struct MarkOperation: Sendable {
    private let configuration: Configuration
    private let name: String

    package init(_ configuration: Configuration, name: String) {
        self.configuration = configuration
        self.name = name
    }

    /// The point in each source; all of them are archived when this returns.
    package func run() throws(TidemarkError) -> [(source: SourceID, point: ListedPoint)] {
        throw TidemarkError(.failed, "mark is not built yet")
    }
}
