package import Model

/// `list`: what can be restored.
package struct ListOperation: Sendable {
    private let configuration: Configuration
    private let sources: [SourceID]

    /// - Parameter sources: empty for every source of the archive.
    package init(_ configuration: Configuration, sources: [SourceID]) {
        self.configuration = configuration
        self.sources = sources
    }

    package func run() throws(TidemarkError) -> ListDocument {
        throw TidemarkError(.failed, "list is not built yet")
    }
}
