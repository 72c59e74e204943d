package import Model
package import Repository
import Storage

extension RepositoryConfiguration {
    /// The archive of this configuration.
    ///
    /// - Parameter createRoot: make the folder when it is missing; only `run` does, so that a
    ///   missing mount is an error everywhere else.
    package func archive(createRoot: Bool = false) throws(TidemarkError) -> ArchiveRepository {
        ArchiveRepository(try StoreURL(url.description).open(createRoot: createRoot))
    }
}
