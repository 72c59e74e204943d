package import Model
import Platform
import Repository

/// `mark`: a named restore point in every source at once, and a wait until all are archived.
package struct MarkOperation: Sendable {
    private let configuration: Configuration
    private let name: String
    private let time = SystemTimeSource()

    /// Seconds without progress of an archive after which a mark gives up.
    private static let stallSeconds = 60.0

    /// Seconds for which a sidecar may show nothing new before a mark takes it for gone.
    private static let patienceSeconds = 15.0

    package init(_ configuration: Configuration, name: String) {
        self.configuration = configuration
        self.name = name
    }

    /// The point in each source; all of them are archived when this returns.
    ///
    /// Asks all sources before it writes into the first. Where one fails all the same, the others
    /// keep the point, and the error says which have it.
    package func run() throws(TidemarkError) -> [(source: SourceID, point: ListedPoint)] {
        let repository = try configuration.repository.archive()
        try repository.open()
        // Before anything is written into a source: a point that nobody archives is of no use.
        for source in configuration.sources { try waitForStream(source.name, repository) }
        let inspectors = try ask(repository)
        defer { for inspector in inspectors { inspector.close() } }
        var outcome = MarkOutcome(name)
        var made: [(source: SourceID, point: RestorePoint)] = []
        for (source, inspector) in zip(configuration.sources, inspectors) {
            do throws(TidemarkError) {
                made.append((source.name, try inspector.mark(name)))
            } catch {
                outcome.failed(source.name, error)
            }
        }
        var points: [(source: SourceID, point: ListedPoint)] = []
        for (source, point) in made {
            do throws(TidemarkError) {
                let style = Rooms.style(try described(source, repository))
                try wait(for: point, source, style, repository)
                try repository.putPoint(source, point)
                points.append((source, ListedPoint(point, style)))
                outcome.marked(source)
            } catch {
                outcome.failed(source, error)
            }
        }
        if let error = outcome.error { throw error }
        return points
    }

    /// One that answers for each source; nothing is written yet.
    private func ask(
        _ repository: ArchiveRepository
    ) throws(TidemarkError) -> [any SourceInspector] {
        var inspectors: [any SourceInspector] = []
        for source in configuration.sources {
            do throws(TidemarkError) {
                if try repository.point(source.name, name) != nil {
                    throw TidemarkError(
                        .usage, "\(source.name) has a restore point \(name) already",
                        remedy: "choose another name; `tidemark list` shows those that exist")
                }
                let archived = try repository.watermark(source.name)?.timeline
                let inspector = try Rooms.room(source, time: time, archived: archived)
                    .inspector()
                inspectors.append(inspector)
                _ = try inspector.probe()
            } catch {
                for inspector in inspectors { inspector.close() }
                throw MarkOutcome.refused(source.name, error)
            }
        }
        return inspectors
    }

    private func described(
        _ source: SourceID, _ repository: ArchiveRepository
    ) throws(TidemarkError) -> SourceDescriptor {
        if let descriptor = try repository.descriptor(source) { return descriptor }
        throw TidemarkError(
            .failed, "nothing of \(source) is archived yet",
            remedy: "start the sidecar first: tidemark run")
    }

    /// A sidecar that starts just now and has shown nothing yet, or that a slow disk holds up, is
    /// waited for.
    private func waitForStream(
        _ source: SourceID, _ repository: ArchiveRepository
    ) throws(TidemarkError) {
        _ = try described(source, repository)
        let began = time.monotonic()
        let never = StopSignal()
        while true {
            let mark = try repository.watermark(source)
            guard let problem = Self.problem(mark, source, time.reading()) else { return }
            guard time.monotonic().seconds(since: began) < Self.patienceSeconds else {
                throw problem
            }
            never.wait(seconds: 0.1)
        }
    }

    /// Why a restore point made now would not be archived.
    private static func problem(
        _ mark: Watermark?, _ source: SourceID, _ now: ClockReading
    ) -> TidemarkError? {
        guard let mark, mark.isLive(now) else {
            return TidemarkError(
                .failed, "no sidecar archives \(source), so a restore point would not be archived",
                remedy: "start it first: tidemark run")
        }
        return mark.state == .connecting ? closed(source, mark.reason) : nil
    }

    /// The sidecar does not reach the source, or is refused by it.
    ///
    /// - Parameter reason: As in the watermark: what happened, and a line with the way out.
    static func closed(_ source: SourceID, _ reason: String) -> TidemarkError {
        let what = reason.prefix { !$0.isNewline }
        return TidemarkError(
            .sourceUnreachable,
            "the stream of \(source) is not open" + (what.isEmpty ? "" : ": \(what)"),
            remedy: "mark when `tidemark status` shows it streaming; `tidemark check` tells what "
                + "stands in the way")
    }

    /// Every byte of the record is archived once the position behind it is reached.
    private func wait(
        for point: RestorePoint, _ source: SourceID, _ style: any PositionStyle,
        _ repository: ArchiveRepository
    ) throws(TidemarkError) {
        let never = StopSignal()
        var moved = time.monotonic()
        var seen: UInt64 = 0
        while true {
            if let mark = try repository.watermark(source), mark.timeline == point.timeline {
                if mark.archived >= point.end ?? point.position + 1 { return }
                if mark.archived > seen { moved = time.monotonic() }
                seen = mark.archived
            }
            guard time.monotonic().seconds(since: moved) < Self.stallSeconds else {
                throw TidemarkError(
                    .failed,
                    "\(source) was marked at \(style.text(point.position)), its archive ends at "
                        + style.text(seen),
                    remedy: "see that `tidemark run` streams it (tidemark status), then mark again")
            }
            never.wait(seconds: 0.1)
        }
    }
}
