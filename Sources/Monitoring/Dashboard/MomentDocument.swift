package import Model

/// `/api/moment`: whether the sources can be brought back to one moment, what that takes, and how.
package struct MomentDocument: Sendable, Encodable {
    package var at: CommitTime
    package var sources: [SourceMoment]
    /// Restores those that can be; nil when none can.
    package var command: String?
    /// Lists what was destroyed around the moment.
    package var findCommand: String
    /// Until everything runs again, from rates that were measured; nil when none was.
    package var estimatedSeconds: Double?
    /// What the estimate rests on, or why there is none: one sentence.
    package var estimateBasis: String

    /// The sources are restored one after the other, so their times add up.
    package init(
        at: CommitTime, sources: [SourceMoment], command: String?, findCommand: String
    ) {
        self.at = at
        self.sources = sources
        self.command = command
        self.findCommand = findCommand
        let wanted = sources.filter(\.isRestorable)
        let unknown = wanted.filter { $0.estimatedSeconds == nil }
        let isKnown = unknown.isEmpty && !wanted.isEmpty
        estimatedSeconds = isKnown ? wanted.compactMap(\.estimatedSeconds).reduce(0, +) : nil
        let words = (isKnown ? wanted : unknown).map { "\($0.name): \($0.estimateBasis)" }
        estimateBasis =
            wanted.isEmpty
            ? "nothing can be restored to this moment"
            : (isKnown ? "an estimate, one source after the other; " : "")
                + words.joined(separator: "; ")
    }

    enum CodingKeys: String, CodingKey {
        case at, sources, command
        case isRestorable = "is_restorable"
        case findCommand = "find_command"
        case estimatedSeconds = "estimated_rto_seconds"
        case estimateBasis = "estimate_basis"
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(at.text(fractionDigits: 6), forKey: .at)
        let isRestorable = !sources.isEmpty && sources.allSatisfy(\.isRestorable)
        try container.encode(isRestorable, forKey: .isRestorable)
        try container.encode(sources, forKey: .sources)
        try container.encode(command, forKey: .command)
        try container.encode(findCommand, forKey: .findCommand)
        try container.encode(estimatedSeconds, forKey: .estimatedSeconds)
        try container.encode(estimateBasis, forKey: .estimateBasis)
    }
}

/// One source of `/api/moment`. Keys that have no value are written as null.
package struct SourceMoment: Sendable, Encodable {
    package var name: SourceID
    package var kind: DatabaseKind
    package var isRestorable: Bool
    /// Why not; empty when it is.
    package var reason: String
    /// The moments next to it that can be restored, where itself cannot.
    package var nearestBefore: Millis?
    package var nearestAfter: Millis?
    /// What would be copied.
    package var backup: SourceTimeline.Backup?
    /// What would be replayed at most; nil when its size is not known.
    package var changeBytes: UInt64?
    /// What took much away at once around the moment, the nearest first.
    package var events: [Undo] = []
    /// Until this source runs again; nil when nothing that was measured tells.
    package var estimatedSeconds: Double?
    /// What that rests on, or why there is none.
    package var estimateBasis: String

    /// A destructive event, and how to get back what it took.
    package struct Undo: Sendable, Encodable {
        package var id: String
        package var action: String
        package var place: String
        /// When it was done at the latest.
        package var time: Millis
        /// Restores the source to just before it.
        package var command: String

        package init(
            id: EventID, action: String, place: String, time: CommitTime, command: String
        ) {
            self.id = id.description
            self.action = action
            self.place = place
            self.time = Millis(time)
            self.command = command
        }
    }

    package init(
        name: SourceID, kind: DatabaseKind, isRestorable: Bool, reason: String = "",
        nearestBefore: Millis? = nil, nearestAfter: Millis? = nil,
        backup: SourceTimeline.Backup? = nil, changeBytes: UInt64? = nil,
        estimatedSeconds: Double? = nil, estimateBasis: String = ""
    ) {
        self.name = name
        self.kind = kind
        self.isRestorable = isRestorable
        self.reason = reason
        self.nearestBefore = nearestBefore
        self.nearestAfter = nearestAfter
        self.backup = backup
        self.changeBytes = changeBytes
        self.estimatedSeconds = estimatedSeconds
        self.estimateBasis = estimateBasis
    }

    enum CodingKeys: String, CodingKey {
        case name, kind, reason, backup, events
        case isRestorable = "is_restorable"
        case nearestBefore = "nearest_before"
        case nearestAfter = "nearest_after"
        case changeBytes = "change_bytes"
        case estimatedSeconds = "estimated_rto_seconds"
        case estimateBasis = "estimate_basis"
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(name, forKey: .name)
        try container.encode(kind, forKey: .kind)
        try container.encode(isRestorable, forKey: .isRestorable)
        try container.encode(reason, forKey: .reason)
        try container.encode(nearestBefore, forKey: .nearestBefore)
        try container.encode(nearestAfter, forKey: .nearestAfter)
        try container.encode(backup, forKey: .backup)
        try container.encode(changeBytes, forKey: .changeBytes)
        try container.encode(events, forKey: .events)
        try container.encode(estimatedSeconds, forKey: .estimatedSeconds)
        try container.encode(estimateBasis, forKey: .estimateBasis)
    }
}
