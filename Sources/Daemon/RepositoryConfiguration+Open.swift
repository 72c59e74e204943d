package import Model
package import Repository
import Storage

extension RepositoryConfiguration {
    /// The archive of this configuration.
    ///
    /// - Parameter createRoot: make the folder when it is missing; only `run` does, so that a
    ///   missing mount is an error everywhere else.
    package func archive(createRoot: Bool = false) throws(TidemarkError) -> ArchiveRepository {
        switch url {
        case .file(let path):
            return ArchiveRepository(try LocalStore(path: path, createRoot: createRoot))
        case .s3:
            throw UnbuiltFeatures.refusal(of: url)
                ?? TidemarkError(.usage, "\(url) cannot be opened")
        }
    }

    /// The archive's folder; nil where it is no folder of this machine.
    var folder: String? {
        switch url {
        case .file(let path): path
        case .s3: nil
        }
    }
}
