package import Model

/// `check`: every missing setting or privilege of the repository and of every source.
package struct CheckOperation: Sendable {
    private let configuration: Configuration

    package init(_ configuration: Configuration) { self.configuration = configuration }

    /// One report for the repository, then one per source. Throws only when nothing can be said.
    package func run() throws(TidemarkError) -> [CheckReport] {
        throw TidemarkError(.failed, "check is not built yet")
    }
}
