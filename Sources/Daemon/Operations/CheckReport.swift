package import Model

/// What `check` found about the repository or one source.
package struct CheckReport: Sendable {
    /// `repository`, or the source's name.
    package var subject: String
    package var findings: [Finding]
    /// Set when it could not be used at all; comes after the findings, and decides the exit
    /// status.
    package var failure: TidemarkError?

    package init(subject: String, findings: [Finding], failure: TidemarkError? = nil) {
        self.subject = subject
        self.findings = findings
        self.failure = failure
    }
}
