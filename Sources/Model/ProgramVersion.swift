/// Which version of tidemark this is.
package enum ProgramVersion {
    /// Semantic version, as `tidemark --version` prints it.
    package static let text = "0.1.0"
}
