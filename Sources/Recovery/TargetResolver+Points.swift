import Catalog
import Model
import Repository

// Restore points: by the place that `mark` noted, or that the segments know.
extension TargetResolver {
    /// One that is no record of the stream, but a position in it.
    func at(markedPoint name: String) throws(TidemarkError) -> RestorePlan {
        guard let known = noted(name) else {
            throw planner.refusal.absent(point: name)
        }
        return try at(known.end ?? known.position)
    }

    /// One that is a record of the stream. A name may have been used twice, by the source itself or
    /// by a `mark` that failed half way: only the noted place is the one that was meant.
    func at(point name: String) throws(TidemarkError) -> RestorePlan {
        let candidates = try planner.candidates()
        let position: UInt64
        if let known = noted(name) {
            position = known.position
            _ = try planner.candidates(reaching: known.end ?? reached(position))
        } else {
            position = try onlyPlace(of: name, in: candidates)
        }
        for candidate in candidates {
            let segments = candidate.chain.segments
            guard let index = segments.lastIndex(where: { $0.range.first < reached(position) })
            else { continue }
            let answer = try locator.search(.position(position), candidate.chain, from: index)
            if case .stop(let stop) = answer, stop.last == position {
                return try newest(candidates, stop)
            }
        }
        throw planner.refusal.absent(point: name)
    }

    private func noted(_ name: String) -> RestorePoint? {
        planner.snapshot.points.first {
            $0.name == name
                && planner.path.passes(Position(timeline: $0.timeline, ordinal: $0.position))
        }
    }

    private func onlyPlace(
        of name: String, in candidates: [Candidate]
    ) throws(TidemarkError) -> UInt64 {
        let places = try locator.embeddedPlaces(of: name, in: candidates.map(\.chain))
        guard let place = places.first else {
            throw planner.refusal.absent(point: name)
        }
        guard places.count == 1 else { throw planner.refusal.ambiguous(point: name, places) }
        return place
    }

    /// How far an archive has come that holds the record at `position`: where positions do not
    /// count bytes, a record's position is the one behind it.
    private func reached(_ position: UInt64) -> UInt64 {
        guard planner.snapshot.style.countsBytes, position < .max else { return position }
        return position + 1
    }
}
