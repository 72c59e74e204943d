import Model

/// Decides what the first entry at or behind the archive's end means, and where the stream goes on.
/// Pure.
///
/// The oplog is asked for everything from the archive's last entry on, that one included. Then:
///
/// | what comes first | means | what is done |
/// | --- | --- | --- |
/// | the same entry, byte for byte | contiguous | go on behind it |
/// | the same optime, other bytes or term | the set was rolled back or restored | new timeline |
/// | a later one, and the oplog reaches back | the set was rolled back or restored | new timeline |
/// | a later one | the oplog no longer reaches back | gap, go on at the oldest that is there |
/// | nothing | this member is behind | ask another, wait when all are |
///
/// A gap and a new timeline are what is done when the other members say the same (`MemberSearch`).
///
/// Secondaries of the server itself go by optime and term only (`OplogFetcher`); the bytes also
/// tell two sets apart that were copied from one.
struct StreamMachine: Sendable {
    /// The archive's last entry.
    struct Known: Hashable, Sendable {
        var position: Position
        /// Nil when the archive knows the position and holds no entry yet.
        var entry: [UInt8]?
    }

    /// Where the stream goes on.
    struct Start: Hashable, Sendable {
        var position: Position
        /// The first entry that the server sends is the archive's last: it is not stored again.
        var skipsFirst: Bool
    }

    /// What the server says before the oplog is asked.
    struct Source: Hashable, Sendable {
        var identity: String
        /// The newest entry that a majority has.
        var majority: OpTime
        /// The oldest that the oplog still holds, asked behind the first entry: what falls off
        /// meanwhile is not taken for an entry that was taken back.
        var oldest: OpTime
    }

    /// What the first entry means.
    enum Finding: Hashable, Sendable {
        /// It joins the archive, or the archive has nothing to join.
        case joins(Start)
        /// The oplog no longer reaches back; its first entry.
        case truncated(OpTime)
        /// The set was rolled back or restored; its first entry.
        case diverged(OpTime)
        /// This member has not come to the archive's end.
        case behind
    }

    private let resume: ResumePoint
    private let known: Known?
    private let place: String

    init(_ resume: ResumePoint, lastEntry: [UInt8]?, place: String) {
        self.resume = resume
        known = resume.end.map { Known(position: $0, entry: lastEntry) }
        self.place = place
    }

    /// The optime from which the oplog is to be read, that entry included.
    func ask(_ source: Source) throws(TidemarkError) -> OpTime {
        if let descriptor = resume.descriptor, descriptor.identity != source.identity {
            throw Self.anotherSet(source.identity, descriptor, place)
        }
        if let known, !ChangeTimeline.isOne(known.position.timeline) {
            return OpTime(ordinal: known.position.ordinal)
        }
        return source.majority
    }

    static func anotherSet(
        _ identity: String, _ descriptor: SourceDescriptor, _ place: String
    ) -> TidemarkError {
        TidemarkError(
            .sourceIdentityChanged,
            "MongoDB at \(place) is replica set \(identity), the archive belongs to "
                + descriptor.identity,
            remedy: "if the set was initiated anew, give it a new name under `sources`; its "
                + "old history stays restorable under the old one")
    }

    /// - Parameter first: the first entry that came; nil when none did.
    /// - Throws: `historyLost`, unless the archive has been told already; `sourceUnreachable` when
    ///   waiting may help.
    func decide(_ first: [UInt8]?, _ source: Source) throws(TidemarkError) -> Start {
        try settle(try judge(first, source), source)
    }

    /// What one member's answer means, before others are asked.
    func judge(_ first: [UInt8]?, _ source: Source) throws(TidemarkError) -> Finding {
        guard let known else {
            // The present end; the entry there is the last of what came before.
            return .joins(
                Start(
                    position: Position(
                        timeline: TimelineID(source.identity), ordinal: source.majority.ordinal),
                    skipsFirst: true))
        }
        let end = OpTime(ordinal: known.position.ordinal)
        if ChangeTimeline.isOne(known.position.timeline) { return .joins(try changed(source)) }
        guard let first else { return .behind }
        let head = try Self.head(first)
        if head.ts == end, known.entry == nil || known.entry == first {
            return .joins(Start(position: known.position, skipsFirst: true))
        }
        if known.entry == nil, head.ts.ordinal == end.ordinal + 1 {
            // Behind a gap that was recorded: the oldest entry comes next.
            return .joins(Start(position: known.position, skipsFirst: false))
        }
        // Only the oldest entries fall off an oplog: one amid those that are there was taken back.
        return head.ts == end || source.oldest < end ? .diverged(head.ts) : .truncated(head.ts)
    }

    /// Where the stream goes on, once the finding counts.
    func settle(_ finding: Finding, _ source: Source) throws(TidemarkError) -> Start {
        if case .joins(let start) = finding { return start }
        guard let known else { preconditionFailure("an empty archive joins everything") }
        switch finding {
        case .joins(let start): return start
        case .truncated(let head): return try truncated(known, head, source)
        case .diverged(let head): return try diverged(known, head, source)
        case .behind: throw behind()
        }
    }

    /// No member that may be read has come to the archive's end.
    func behind() -> TidemarkError {
        Self.behind(OpTime(ordinal: known?.position.ordinal ?? 0), place)
    }

    static func behind(_ end: OpTime, _ place: String) -> TidemarkError {
        TidemarkError(
            .sourceUnreachable,
            "MongoDB at \(place) has not come to \(end), where the archive ends",
            remedy: "a member that catches up is waited for; one that was put back to an older "
                + "copy must not be archived under this name")
    }

    /// The archive holds change streams, whose documents are others.
    private func changed(_ source: Source) throws(TidemarkError) -> Start {
        guard resume.skipsLostHistory else {
            throw lost(
                "the archive holds change streams, and now the oplog of MongoDB at \(place) is to "
                    + "be read",
                "Tidemark goes on with a new timeline and takes a new base backup by itself; write "
                    + "mode=changeStream into the url to stay with change streams")
        }
        let all = ([resume.end] + resume.others).compactMap { $0?.timeline }
        let isFirst = all.allSatisfy { ChangeTimeline.isOne($0) }
        return Start(
            position: Position(
                timeline: isFirst ? TimelineID(source.identity) : nextTimeline(source),
                ordinal: source.majority.ordinal),
            skipsFirst: true)
    }

    private func diverged(
        _ known: Known, _ head: OpTime, _ source: Source
    ) throws(TidemarkError) -> Start {
        guard resume.skipsLostHistory else {
            let end = OpTime(ordinal: known.position.ordinal)
            let difference =
                head == end
                ? "another entry at \(end) than the archive"
                : "no entry at \(end), where the archive ends, but older and newer ones"
            throw lost(
                "MongoDB at \(place) has \(difference): it was rolled back, or restored from a "
                    + "backup",
                "Tidemark goes on with a new timeline and takes a new base backup by itself; what "
                    + "was archived before stays restorable")
        }
        return Start(
            position: Position(timeline: nextTimeline(source), ordinal: source.majority.ordinal),
            skipsFirst: true)
    }

    private func truncated(
        _ known: Known, _ head: OpTime, _ source: Source
    ) throws(TidemarkError) -> Start {
        guard resume.skipsLostHistory else {
            throw lost(
                "the oplog of MongoDB at \(place) no longer holds "
                    + "\(OpTime(ordinal: known.position.ordinal)), where the archive ends: its "
                    + "oldest entry is \(source.oldest)",
                "Tidemark records a gap and takes a new base backup by itself; make the oplog "
                    + "larger: `db.adminCommand({replSetResizeOplog: 1, minRetentionHours: 24})`, "
                    + "before 4.4 `db.adminCommand({replSetResizeOplog: 1, size: 16000})` (in MB)")
        }
        // Everything that is still there is kept, not only what comes from now on.
        return Start(
            position: Position(timeline: known.position.timeline, ordinal: head.ordinal - 1),
            skipsFirst: false)
    }

    /// `<id>.2`, `<id>.3`, …: one more than any that the archive has.
    private func nextTimeline(_ source: Source) -> TimelineID {
        let all = ([resume.end] + resume.others).compactMap { $0?.timeline.name }
        let numbers = all.map { name in
            name == source.identity
                ? 1 : name.split(separator: ".").last.flatMap { Int($0) } ?? 1
        }
        return TimelineID("\(source.identity).\((numbers.max() ?? 1) + 1)")
    }

    static func head(_ entry: [UInt8]) throws(TidemarkError) -> EntryHead {
        do {
            return try EntryHead(entry.span)
        } catch {
            throw error.error(
                .sourceUnreachable, in: "an oplog entry that the server sent",
                remedy: "Tidemark connects again by itself; if this goes on, check the source's "
                    + "memory and the network between")
        }
    }

    private func lost(_ message: String, _ remedy: String) -> TidemarkError {
        TidemarkError(.historyLost, message, remedy: remedy)
    }
}
