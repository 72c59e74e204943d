package import Model

/// The commits of one segment, thinned out to at most `limit` stretches of equal width.
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
    /// Most restore points of one segment that are kept; later ones are only in the content.
    package static let pointLimit = 4096

    package let first: UInt64
    /// Width of a stretch.
    private let grain: UInt64
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

    package var isEmpty: Bool { stretches.isEmpty && restorePoints.isEmpty }

    /// Times are not monotonic in log order, so this looks at every stretch.
    package var firstCommit: CommitTime? { stretches.map(\.earliest).min() }
    package var lastCommit: CommitTime? { stretches.map(\.latest).max() }

    package mutating func removeAll() {
        stretches.removeAll(keepingCapacity: true)
        restorePoints.removeAll(keepingCapacity: true)
    }

    /// Returns whether the index changed.
    @discardableResult
    package mutating func add(_ entry: HistoryEntry) -> Bool {
        switch entry.event {
        case .commit, .abort:
            return add(
                TimeIndexEntry(position: entry.first, earliest: entry.time, latest: entry.time))
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
        let slot = slot(stretch.position)
        // Entries come in order, so this looks at the last one first and nearly always only there.
        var place = stretches.count
        while place > 0, self.slot(stretches[place - 1].position) > slot { place -= 1 }
        guard place > 0, self.slot(stretches[place - 1].position) == slot else {
            stretches.insert(stretch, at: place)
            return true
        }
        let old = stretches[place - 1]
        let merged = TimeIndexEntry(
            position: min(old.position, stretch.position),
            earliest: min(old.earliest, stretch.earliest),
            latest: max(old.latest, stretch.latest))
        guard merged != old else { return false }
        stretches[place - 1] = merged
        return true
    }

    private func slot(_ position: UInt64) -> UInt64 {
        position < first ? 0 : 1 + min((position - first) / grain, UInt64(Self.limit - 2))
    }
}
