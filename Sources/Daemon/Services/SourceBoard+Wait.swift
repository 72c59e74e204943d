package import Model
package import Platform

// Waiting for what the stream brings.
extension SourceBoard {
    /// Returns once everything of `range` is archived.
    ///
    /// Throws when the stream was refused, when the source has left the range's timeline before
    /// its end was archived, when nothing has moved for `stallSeconds`, or with `cancelled`.
    package func waitArchived(
        _ range: PositionRange, stallSeconds: Double, clock: any TimeSource,
        shouldStop: () -> Bool
    ) throws(TidemarkError) {
        var seen: Position?
        var moved = clock.monotonic()
        while true {
            let step = monitor.wait(seconds: 1) { Self.step($0, toward: range) }
            switch step {
            case .reached: return
            case .failed(let error): throw error
            case nil: break
            }
            if shouldStop() { throw TidemarkError(.cancelled, "the work was stopped") }
            let archived = monitor.read { $0.archived }
            if archived != seen { moved = clock.monotonic() }
            seen = archived
            guard clock.monotonic().seconds(since: moved) < stallSeconds else {
                throw incomplete("the stream has not moved for \(Int(stallSeconds)) s")
            }
        }
    }

    private enum Step: Sendable { case reached, failed(TidemarkError) }

    private static func step(_ state: State, toward range: PositionRange) -> Step? {
        if let failure = state.failure, !failure.code.isRetryable { return .failed(failure) }
        // What an earlier connection brought may be of a history that the source has left.
        guard let archived = state.verified else { return nil }
        if archived.timeline == range.timeline {
            return archived.ordinal >= range.last ? .reached : nil
        }
        // An older timeline is still being archived; a newer one means that ours has ended.
        let isNumbered = UInt64(range.timeline.name) != nil
        let hasEnded =
            isNumbered
            ? range.timeline < archived.timeline : state.left.contains(range.timeline)
        guard hasEnded else { return nil }
        return .failed(
            TidemarkError(
                .archiveIncomplete,
                "the source went from timeline \(range.timeline) to "
                    + "\(archived.timeline) meanwhile", remedy: "try again"))
    }

    private func incomplete(_ why: String) -> TidemarkError {
        TidemarkError(
            .archiveIncomplete, "the changes that \(source) needs were not archived: \(why)",
            remedy: "see why the stream does not move: tidemark status")
    }
}
