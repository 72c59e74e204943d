package import Model
import Repository
import Segments
import Synchronization

/// What the commits of one segment say of when they were made, where the stream carries times.
package struct ClockSpan: Hashable, Sendable {
    /// The earliest and the latest time; nil where there is no commit.
    private let ends: TimeIndexEntry?
    /// Within the segment.
    private let turns: [Outage]

    /// - Parameter index: ascending by position.
    package init(_ index: [TimeIndexEntry]) {
        var whole: TimeIndexEntry?
        var turns: [Outage] = []
        for entry in index {
            if let whole, whole.isContradicted(by: entry) {
                turns.append(Outage(from: entry.earliest.before, to: whole.latest))
            }
            whole = whole?.merged(entry) ?? entry
        }
        ends = whole
        self.turns = Outage.joined(turns)
    }

    /// Adds the times that name no single place in this segment and in what stands before it, whose
    /// times are `before`; returns those of both.
    func follow(_ before: TimeIndexEntry?, _ found: inout [Outage]) -> TimeIndexEntry? {
        found += turns
        guard let ends else { return before }
        guard let before else { return ends }
        if before.isContradicted(by: ends) {
            found.append(Outage(from: ends.earliest.before, to: before.latest))
        }
        return before.merged(ends)
    }
}

extension CommitTime {
    /// The last moment that is before this one.
    fileprivate var before: CommitTime {
        CommitTime(microseconds: max(microseconds, .min + 1) - 1)
    }
}

extension CatalogSnapshot {
    /// Times on a line of descent to which it cannot be restored, because the source's clock ran
    /// backwards: commits that say they were made before such a time stand behind others that say
    /// they were made after it.
    ///
    /// What counts is the history behind the base backup that a restore to the time would take: the
    /// newest that was finished by then.
    ///
    /// - Parameter clocks: of the segments that were looked at; any other may hold anything.
    package func clockTurns(
        on path: TimelinePath, _ clocks: [ObjectKey: ClockSpan]
    ) -> [Outage] {
        var found: [Outage] = []
        // Where a newer base backup serves.
        var end = CommitTime(microseconds: .max)
        for backup in backups(on: path).reversed() where backup.finished < end {
            let own = Outage(from: backup.finished.before, to: end)
            end = backup.finished
            let start = Position(timeline: backup.timeline, ordinal: backup.start)
            let turns = Self.turns(in: chain(on: path, from: start), clocks)
            for turn in turns {
                let part = Outage(from: max(turn.from, own.from), to: min(turn.to, own.to))
                if part.from < part.to { found.append(part) }
            }
        }
        return Outage.joined(found)
    }

    /// The times that the source's clock made twice around a moment, on the line that a restore to
    /// it would follow.
    package func clockTurn(at time: CommitTime) -> Outage? {
        line(at: time).flatMap { line in
            clockTurns[line.timeline]?.first { $0.contains(time) }
        }
    }

    private static func turns(in chain: Chain, _ clocks: [ObjectKey: ClockSpan]) -> [Outage] {
        var found: [Outage] = []
        var before: TimeIndexEntry?
        for segment in chain.segments {
            guard let span = clocks[segment.key] else {
                let always = (CommitTime(microseconds: .min), CommitTime(microseconds: .max))
                return [Outage(from: before?.earliest ?? always.0, to: always.1)]
            }
            before = span.follow(before, &found)
        }
        return found
    }
}

/// What was read of sealed segments, so that the next look does not read them again.
final class ClockMemory: Sendable {
    private struct Seen: Hashable {
        var key: ObjectKey
        var storedBytes: UInt64
    }

    private let known = Mutex<[Seen: ClockSpan]>([:])

    /// Footers that one look reads, the newest first: a tebibyte and a half of WAL. Older segments
    /// are left for the next look, and meanwhile nothing is promised of them.
    private static let footerLimit = 100_000

    /// Of all sealed segments among `segments`; a damaged one says nothing, since no restore gets
    /// beyond it anyway.
    func read(
        _ segments: [SegmentListing], _ store: any ObjectStore
    ) throws(TidemarkError) -> [ObjectKey: ClockSpan] {
        let old = known.withLock { $0 }
        var seen: [Seen: ClockSpan] = [:]
        var spans: [ObjectKey: ClockSpan] = [:]
        var left = Self.footerLimit
        for segment in segments.sorted(by: { $0.range.first > $1.range.first })
        where segment.state == .sealed {
            let key = Seen(key: segment.key, storedBytes: segment.storedBytes)
            var span = old[key]
            if span == nil, left > 0 {
                left -= 1
                span = try Self.read(segment.key, store)
            }
            spans[segment.key] = span
            seen[key] = span
        }
        known.withLock { $0 = seen }
        return spans
    }

    private static func read(
        _ key: ObjectKey, _ store: any ObjectStore
    ) throws(TidemarkError) -> ClockSpan {
        do throws(TidemarkError) {
            return ClockSpan(try SegmentReader.index(store, key))
        } catch let error where error.code == .archiveDamaged {
            return ClockSpan([])
        }
    }
}
