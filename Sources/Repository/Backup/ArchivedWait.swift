package import Model
package import Platform

/// Waits until the archive holds a stretch of a source's changes, by what the repository says.
///
/// For a process of its own beside the sidecar: it sees the stretch in the sealed segments, which
/// are claims by name, and in the watermark, which speaks for the open one and is never ahead of
/// it.
package struct ArchivedWait {
    private let repository: ArchiveRepository
    private let source: SourceID
    private let style: any PositionStyle
    private let clock: any TimeSource
    private let stallSeconds: Double
    private let pause: (Double) -> Bool

    /// - Parameters:
    ///   - stallSeconds: how long nothing may be added before the wait ends with an error.
    ///   - pause: waits so many seconds; true when the work is to stop.
    package init(
        _ repository: ArchiveRepository, _ source: SourceID, _ style: any PositionStyle,
        clock: any TimeSource, stallSeconds: Double = 120, pause: @escaping (Double) -> Bool
    ) {
        self.repository = repository
        self.source = source
        self.style = style
        self.clock = clock
        self.stallSeconds = stallSeconds
        self.pause = pause
    }

    /// Returns once everything of `range` is archived.
    package func wait(for range: PositionRange) throws(TidemarkError) {
        var reached = try archivedEnd(of: range)
        var moved = clock.monotonic()
        // What is needed was just sent: mostly it is there within milliseconds.
        var seconds = 0.02
        while reached < range.last {
            defer { seconds = min(0.5, seconds * 2) }
            if pause(seconds) { throw TidemarkError(.cancelled, "the base backup was stopped") }
            let now = try archivedEnd(of: range)
            if now > reached {
                reached = now
                moved = clock.monotonic()
            } else if clock.monotonic().seconds(since: moved) > stallSeconds {
                throw try missing(range, reached)
            }
        }
    }

    /// The archive holds `[range.first, this)` without a hole.
    package func archivedEnd(of range: PositionRange) throws(TidemarkError) -> UInt64 {
        var end = range.first
        let listing = try repository.stream(source, style)
        for segment in listing.segments[range.timeline] ?? []
        where segment.state == .sealed && segment.range.first <= end {
            end = max(end, segment.range.last)
        }
        guard let watermark = try repository.watermark(source),
            watermark.timeline == range.timeline
        else { return end }
        let open = (listing.segments[range.timeline] ?? []).first {
            $0.state == .open && $0.range.first <= end && watermark.archived <= $0.range.last
        }
        return open == nil ? end : max(end, watermark.archived)
    }

    private func missing(
        _ range: PositionRange, _ reached: UInt64
    ) throws(TidemarkError) -> TidemarkError {
        var message =
            "the archive of \(source) ends at \(style.text(reached)) on timeline "
            + "\(range.timeline), the base backup needs it up to \(style.text(range.last))"
        if let watermark = try repository.watermark(source) {
            message += "; the sidecar last reported at \(watermark.written)"
        }
        return TidemarkError(
            .archiveIncomplete, message,
            remedy: "see that `tidemark run` is streaming \(source) (`tidemark status`), "
                + "then take the base backup again")
    }
}
