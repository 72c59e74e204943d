package import Model
package import Monitoring

/// What `status` found. There is always a document: monitoring needs it most when things are bad.
package struct StatusReport: Sendable {
    package var document: StatusDocument
    /// Why the archive could not be read; decides the exit status.
    package var failure: TidemarkError?

    package init(document: StatusDocument, failure: TidemarkError? = nil) {
        self.document = document
        self.failure = failure
    }
}
