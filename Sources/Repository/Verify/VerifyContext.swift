import Model
import Platform

/// What every check of a verification shares.
struct VerifyContext: Sendable {
    let repository: ArchiveRepository
    let isDeep: Bool
    let progress: Monitor<VerificationProgress>

    var store: any ObjectStore { repository.store }

    /// Turns an error of one object into a problem, unless the whole repository has gone: then
    /// nothing more can be said, and the error is thrown.
    func problem(
        _ error: TidemarkError, _ key: ObjectKey, of source: SourceID?
    ) throws(TidemarkError) -> VerificationProblem {
        guard try store.size(Layout.marker) != nil else {
            throw TidemarkError(
                .repositoryUnreachable, "the archive at \(store.url) went away while it was read",
                remedy: "check that it is mounted, then verify again", cause: error)
        }
        return VerificationProblem(error, key, of: source)
    }

    /// A document, or the problem with it; both nil when it does not exist.
    func document<T: Decodable>(
        _ type: T.Type, _ key: ObjectKey, of source: SourceID?
    ) throws(TidemarkError) -> (value: T?, problem: VerificationProblem?) {
        do {
            return (try repository.document(type, key), nil)
        } catch {
            return (nil, try problem(error, key, of: source))
        }
    }

    func read(_ bytes: Int) { progress.update { $0.bytes += UInt64(bytes) } }
}
