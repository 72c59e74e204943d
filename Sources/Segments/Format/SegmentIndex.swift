package import Model

/// The commits of one segment, thinned out.
///
/// Where segments have a fixed size: to at most `limit` stretches of equal width. Elsewhere, where
/// the index is all that is known of the times, to stretches as short as `timedLimit` of them
/// allow: under 16 KiB, and one millisecond, which doubles whenever there are too many, up to a
/// quarter of a second. An open segment's are thinned twice, in the notes and by who reads them:
/// entries that come at most 32 KiB apart are kept at most 64 KiB apart. The last entry before one
/// that came late, and the last of all, stay stretches of their own: an outage begins with them.
///
/// An entry belongs to the segment that holds the **last** byte of its record: before that byte is
/// archived nothing can recover to it, and a segment is complete with its own last byte, never
/// waiting for bytes that an idle server may not send for hours. So the first stretch may have a
/// position below the segment's first: its record starts in the segment before.
///
/// Adding an entry twice changes nothing, so entries of re-sent bytes do no harm.
package struct SegmentIndex: Sendable, Hashable {
    /// Most stretches of one segment; one of them is for records that start in the segment before.
    package static let limit = 256
    /// Most stretches of a segment whose size is not fixed; enough for ten minutes at four a second
    /// and 16 KiB at a time.
    package static let timedLimit = 4096
    private static let timedGrain: UInt64 = 16 << 10
    /// A quarter of a second; longer ones only when there are still too many.
    private static let longestSpacing: Int64 = 256 * 976
    /// Most restore points of one segment that are kept; later ones are only in the content.
    package static let pointLimit = 4096

    package let first: UInt64
    /// Width of a stretch.
    private var grain: UInt64
    /// Longest time of a stretch in microseconds; nil where only the width counts.
    private var spacing: Int64?
    /// What was added last behind everything else, where time counts.
    private var newest: TimeIndexEntry?
    /// Ascending by position.
    package private(set) var stretches: [TimeIndexEntry] = []
    package private(set) var restorePoints: [EmbeddedRestorePoint] = []

    /// - Parameters:
    ///   - first: Where the segment starts.
    ///   - bytes: How long it will be, about.
    package init(first: UInt64, bytes: UInt64) {
        self.first = first
        let share = UInt64(Self.limit - 1)
        grain = max(1, bytes / share + (bytes % share == 0 ? 0 : 1))
    }

    /// For a segment whose size is not known beforehand.
    package init(first: UInt64) {
        self.first = first
        grain = Self.timedGrain
        spacing = Self.longestSpacing / 256
    }

    /// Whether stretches were made longer than they are at first, because there were too many.
    var isCoarse: Bool { spacing.map { $0 > Self.longestSpacing / 256 } ?? false }

    package var isEmpty: Bool { stretches.isEmpty && restorePoints.isEmpty }

    /// Times are not monotonic in log order, so this looks at every stretch.
    package var firstCommit: CommitTime? { stretches.map(\.earliest).min() }
    package var lastCommit: CommitTime? { stretches.map(\.latest).max() }

    package mutating func removeAll() {
        stretches.removeAll(keepingCapacity: true)
        restorePoints.removeAll(keepingCapacity: true)
        newest = nil
    }

    /// The same with the last of it as a stretch of its own: what comes next may come late.
    func closed() -> SegmentIndex {
        var closed = self
        closed.splitNewest()
        return closed
    }

    /// Returns whether the index changed.
    @discardableResult
    package mutating func add(_ entry: HistoryEntry) -> Bool {
        switch entry.event {
        case .commit, .abort:
            return add(
                TimeIndexEntry(
                    position: entry.first, earliest: entry.earliest ?? entry.time,
                    latest: entry.time))
        case .restorePoint(let name):
            return add(EmbeddedRestorePoint(name: name, position: entry.first, time: entry.time))
        }
    }

    package mutating func add(_ other: SegmentIndex) {
        for stretch in other.stretches { add(stretch) }
        for point in other.restorePoints { add(point) }
    }

    @discardableResult
    package mutating func add(_ point: EmbeddedRestorePoint) -> Bool {
        guard restorePoints.count < Self.pointLimit, !restorePoints.contains(point) else {
            return false
        }
        let place = restorePoints.lastIndex { $0.position <= point.position }.map { $0 + 1 } ?? 0
        restorePoints.insert(point, at: place)
        return true
    }

    @discardableResult
    package mutating func add(_ stretch: TimeIndexEntry) -> Bool {
        if let spacing { return add(stretch, within: spacing) }
        let slot = slot(stretch.position)
        // Entries come in order, so this looks at the last one first and nearly always only there.
        var place = stretches.count
        while place > 0, self.slot(stretches[place - 1].position) > slot { place -= 1 }
        guard place > 0, self.slot(stretches[place - 1].position) == slot else {
            stretches.insert(stretch, at: place)
            return true
        }
        return merge(stretch, at: place - 1)
    }

    private mutating func merge(_ stretch: TimeIndexEntry, at place: Int) -> Bool {
        let merged = stretches[place].merged(stretch)
        guard merged != stretches[place] else { return false }
        stretches[place] = merged
        return true
    }

    // MARK: by time

    /// A stretch speaks for everything up to the next one, so only behind the last one may a new
    /// one begin.
    private mutating func add(_ stretch: TimeIndexEntry, within spacing: Int64) -> Bool {
        if stretch.isLate, stretch.position > newest?.position ?? .max { splitNewest() }
        if newest.map({ $0.position < stretch.position }) ?? true { newest = stretch }
        if let last = stretches.last, stretch.position > last.position,
            !joins(last, stretch, spacing)
        {
            stretches.append(stretch)
            if stretches.count > Self.timedLimit { coarsen() }
            return true
        }
        guard let place = stretches.lastIndex(where: { $0.position <= stretch.position }) else {
            stretches.insert(stretch, at: 0)
            return true
        }
        // Even one that changes nothing here may begin a stretch where less was added before.
        _ = merge(stretch, at: place)
        return true
    }

    private mutating func splitNewest() {
        guard let newest, !newest.isLate, let last = stretches.last,
            last.position < newest.position
        else { return }
        stretches.append(newest)
        if stretches.count > Self.timedLimit { coarsen() }
    }

    private func joins(_ old: TimeIndexEntry, _ new: TimeIndexEntry, _ spacing: Int64) -> Bool {
        let merged = old.merged(new)
        return new.position - old.position < grain
            && merged.latest.microseconds - merged.earliest.microseconds < spacing
    }

    /// Halves the number of stretches, more or less: the time doubles, and the width too once the
    /// time alone does not help.
    private mutating func coarsen() {
        while stretches.count > Self.timedLimit, let old = spacing {
            spacing = old * 2
            if old >= Self.longestSpacing { grain *= 2 }
            var kept: [TimeIndexEntry] = []
            for (place, stretch) in stretches.enumerated() {
                let isBeforeLate =
                    !stretch.isLate && place + 1 < stretches.count && stretches[place + 1].isLate
                if let last = kept.last, !isBeforeLate, joins(last, stretch, old * 2) {
                    kept[kept.count - 1] = last.merged(stretch)
                } else {
                    kept.append(stretch)
                }
            }
            stretches = kept
        }
    }

    private func slot(_ position: UInt64) -> UInt64 {
        position < first ? 0 : 1 + min((position - first) / grain, UInt64(Self.limit - 2))
    }
}

extension TimeIndexEntry {
    /// Both as one stretch.
    package func merged(_ other: TimeIndexEntry) -> TimeIndexEntry {
        TimeIndexEntry(
            position: min(position, other.position), earliest: min(earliest, other.earliest),
            latest: max(latest, other.latest))
    }
}
