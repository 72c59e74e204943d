/// The metadata of one sealed segment, stored as JSON in its footer.
package struct SegmentDescriptor: Hashable, Sendable, Codable {
    package var source: SourceID
    package var kind: DatabaseKind
    /// Content covers `[first, last)` of this timeline.
    package var timeline: TimelineID
    package var first: UInt64
    package var last: UInt64
    /// Earliest and latest commit or abort time inside; nil when there is none.
    package var firstCommit: CommitTime?
    package var lastCommit: CommitTime?
    /// Length of the content before compression.
    package var bytes: UInt64
    /// SHA-256 of the content, lower-case hex.
    package var sha256: String
    /// SHA-256 of the segment before this one on the same timeline; nil at its start and after a
    /// gap.
    package var previousSHA256: String?
    /// `server_version_num` or the database's own version text.
    package var serverVersion: String
    /// What a replay that begins at `first` must know, see `ChangeSink.edge`; nil where nothing.
    package var state: String?
    /// Sparse index, ascending by position, see `SegmentIndex`.
    package var index: [TimeIndexEntry]
    /// Named restore points inside.
    package var restorePoints: [EmbeddedRestorePoint]

    package init(
        source: SourceID, kind: DatabaseKind, range: PositionRange, firstCommit: CommitTime?,
        lastCommit: CommitTime?, bytes: UInt64, sha256: String, previousSHA256: String?,
        serverVersion: String, state: String? = nil, index: [TimeIndexEntry],
        restorePoints: [EmbeddedRestorePoint]
    ) {
        self.source = source
        self.kind = kind
        self.timeline = range.timeline
        self.first = range.first
        self.last = range.last
        self.firstCommit = firstCommit
        self.lastCommit = lastCommit
        self.bytes = bytes
        self.sha256 = sha256
        self.previousSHA256 = previousSHA256
        self.serverVersion = serverVersion
        self.state = state
        self.index = index
        self.restorePoints = restorePoints
    }

    package var range: PositionRange {
        PositionRange(timeline: timeline, first: first, last: last)
    }

    enum CodingKeys: String, CodingKey {
        case source, kind, timeline, first, last, bytes, sha256, state, index
        case firstCommit = "first_commit"
        case lastCommit = "last_commit"
        case previousSHA256 = "previous_sha256"
        case serverVersion = "server_version"
        case restorePoints = "restore_points"
    }
}

/// One stretch of the sparse index: the times of the commits from `position` to the next entry.
package struct TimeIndexEntry: Hashable, Sendable, Codable {
    /// Start of the first commit record of the stretch.
    package var position: UInt64
    /// Commit times are not monotonic in log order, so both ends are kept.
    package var earliest: CommitTime
    package var latest: CommitTime

    package init(position: UInt64, earliest: CommitTime, latest: CommitTime) {
        self.position = position
        self.earliest = earliest
        self.latest = latest
    }

    /// What comes as it is made is noted with less between its two times, in seconds.
    package static let lateSeconds = 1.0

    /// Whether it speaks of what waited somewhere before it came, made who knows when between its
    /// two times, where times are those of arrival.
    package var isLate: Bool { latest.seconds(since: earliest) > Self.lateSeconds }

    /// The same, knowing when what stands before it was made at the earliest: it was made after
    /// that, where times are those of arrival. At a fork this is all that is known of it.
    package func made(after floor: CommitTime?) -> TimeIndexEntry {
        var entry = self
        if let floor { entry.earliest = max(entry.earliest, floor) }
        return entry
    }
}

/// A restore point found in the stream itself (`pg_create_restore_point`).
package struct EmbeddedRestorePoint: Hashable, Sendable, Codable {
    package var name: String
    /// Start of its record.
    package var position: UInt64
    package var time: CommitTime

    package init(name: String, position: UInt64, time: CommitTime) {
        self.name = name
        self.position = position
        self.time = time
    }
}
