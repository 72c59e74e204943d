import Model
import Monitoring

/// What `status --check` says of a document. Pure.
///
/// It fails for a breached objective and for nothing else, as its exit status 6 says; a source of
/// which nothing is proved counts as breached. One that is not followed while its objective still
/// holds is told in words.
struct StatusVerdict {
    /// Nil while every objective holds.
    var failure: TidemarkError?
    /// A line for each source that is not followed, although its objective holds.
    var notes: [String]

    init(_ document: StatusDocument) {
        let breached = document.sources.filter { $0.objective == .breached }
        failure = breached.first.map { Self.failure($0, breached.count, document.sources.count) }
        notes = document.sources.compactMap { source in
            guard source.objective != .breached, let why = HealthVerdict.problem(of: source)
            else { return nil }
            let standing = source.objective == .met ? "still met" : "at risk"
            return
                "\(source.name) is \(source.state.rawValue), its objective is \(standing): \(why)"
        }
    }

    private static func failure(
        _ first: SourceStatus, _ count: Int, _ all: Int
    ) -> TidemarkError {
        let exposure = first.exposureSeconds.map { "\(StatusView.seconds($0)) could be lost" }
        return TidemarkError(
            .objectiveBreached,
            "\(count) of \(all) objectives breached; \(first.name): "
                + (exposure ?? "nothing is proved to be restorable"),
            remedy: first.reason.isEmpty ? "look at `tidemark status`" : first.reason)
    }
}
