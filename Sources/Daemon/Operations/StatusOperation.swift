package import Model
package import Monitoring

/// `status`: how every source stands, read from the archive and its watermarks.
package struct StatusOperation: Sendable {
    private let configuration: Configuration

    package init(_ configuration: Configuration) { self.configuration = configuration }

    /// The state at this moment; called again and again by `--watch`.
    package func run() throws(TidemarkError) -> StatusDocument {
        throw TidemarkError(.failed, "status is not built yet")
    }
}
