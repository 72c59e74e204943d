import Model
import Platform
import Repository

/// The repository of a command that writes: opened, or made where there is nothing at all.
///
/// Nothing at all is also what a file system shows that is not mounted. So before an archive is
/// made the sources are asked whether they keep history for one; if so, the place is left as it is.
struct NewArchive {
    let configuration: Configuration
    let time: any TimeSource

    func openOrCreate() throws(TidemarkError) -> ArchiveRepository {
        if try isNothingThere() { try checkUnclaimed() }
        var random = SystemRandomNumberGenerator()
        let repository = try configuration.repository.archive(createRoot: true)
        try repository.openOrCreate(now: time.wall(), random: &random)
        return repository
    }

    private func isNothingThere() throws(TidemarkError) -> Bool {
        do throws(TidemarkError) {
            return try configuration.repository.archive().isEmpty()
        } catch let error where error.code == .repositoryUnreachable {
            // Also a folder that cannot be entered: making it will tell.
            return true
        }
    }

    /// A source that does not answer now says so itself, once it is archived; its stream asks the
    /// same again before anything is taken from it.
    private func checkUnclaimed() throws(TidemarkError) {
        for source in configuration.sources {
            if let claim = try Self.claim(source, time) { throw claim }
        }
    }

    /// Why a repository that holds nothing of the source is not its archive; nil when it may be.
    static func claim(
        _ source: SourceConfiguration, _ time: any TimeSource
    ) throws(TidemarkError) -> TidemarkError? {
        let inspector = try Rooms.room(source, time: time).inspector()
        defer { inspector.close() }
        do throws(TidemarkError) {
            return try inspector.claim()
        } catch let error where error.isToldLater {
            return nil
        }
    }
}

extension TidemarkError {
    /// What the archiving of the source itself reports, and retries where that helps.
    fileprivate var isToldLater: Bool {
        code == .sourceUnreachable || code == .sourceRefused
    }
}
