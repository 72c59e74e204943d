/// The archive, as configured.
package struct RepositoryConfiguration: Sendable, Hashable {
    package var url: RepositoryURL
    package var compression: CompressionChoice
}
