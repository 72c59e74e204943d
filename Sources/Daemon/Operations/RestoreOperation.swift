package import Model

/// `restore`: plans, checks that everything is there, writes, and starts the server if wanted.
package struct RestoreOperation: Sendable {
    private let configuration: Configuration
    private let request: RestoreRequest
    private let progress: any ProgressObserver

    package init(
        _ configuration: Configuration, _ request: RestoreRequest, progress: any ProgressObserver
    ) {
        self.configuration = configuration
        self.request = request
        self.progress = progress
    }

    package func run() throws(TidemarkError) -> RestoreReport {
        throw TidemarkError(.failed, "restore is not built yet")
    }
}
