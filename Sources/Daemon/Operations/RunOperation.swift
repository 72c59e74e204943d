package import Model

/// `run`: the sidecar, until SIGTERM or SIGINT.
package struct RunOperation: Sendable {
    private let configuration: Configuration

    package init(_ configuration: Configuration) { self.configuration = configuration }

    /// Returns after an orderly stop.
    package func run() async throws(TidemarkError) {
        throw TidemarkError(.failed, "run is not built yet")
    }
}
