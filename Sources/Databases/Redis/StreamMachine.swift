import Model

/// Decides how a stream is joined, and what the server's answer to PSYNC means. Pure.
///
/// In this order: go on where the archive ends; where the server has left the archive's history, at
/// the fork (what the archive holds beyond it stays there as a branch that nobody else has);
/// nothing archived yet: the server's present end, if it has a backlog; else a full resync, of
/// which only the stream is kept.
struct StreamMachine: Sendable {
    enum Action: Sendable, Hashable {
        /// `PSYNC id from`; `from` is the number of the first byte wanted, counted from 1.
        case partial(id: String, from: UInt64)
        /// `PSYNC ? -1`, with an empty RDB where the server can.
        case full
    }

    /// The server's answer to PSYNC.
    enum Answer: Sendable, Hashable {
        /// `+CONTINUE`, with the server's present replication id from 4.0 on.
        case continues(id: String?)
        case fullResync(id: String, offset: UInt64)
    }

    /// Where the stream goes on.
    struct Start: Sendable, Hashable {
        var position: Position
        /// The history that `position.timeline` leaves here; nil when it is the archive's own, or
        /// new.
        var parent: Position?
        /// An RDB comes first.
        var hasPayload: Bool
    }

    private let resume: ResumePoint
    private let place: String
    private(set) var action = Action.full

    init(_ resume: ResumePoint, place: String) {
        self.resume = resume
        self.place = place
    }

    /// The archive's end, unless its history is known to be lost.
    var end: Position? { resume.skipsLostHistory ? nil : resume.end }

    /// Whether the answer to PSYNC cannot be foreseen.
    private(set) var isBlind = false

    /// - Parameter info: Nil when we may not ask for it.
    /// - Throws: `historyLost`; `sourceUnreachable` when waiting may help.
    mutating func begin(_ info: ServerInfo?) throws(TidemarkError) -> Action {
        if let info { try check(info) }
        switch (end, info) {
        case (.some(let end), .some(let info)): action = try goOn(end, info)
        case (.some(let end), .none):
            isBlind = true
            action = .partial(id: end.timeline.name, from: end.ordinal + 1)
        case (.none, .some(let info)): action = fresh(info)
        case (.none, .none): action = .full
        }
        return action
    }

    private func fresh(_ info: ServerInfo) -> Action {
        guard let id = info.history, let backlog = info.backlog, backlog.contains(info.offset)
        else { return .full }
        return .partial(id: id, from: info.offset + 1)
    }

    private func goOn(_ end: Position, _ info: ServerInfo) throws(TidemarkError) -> Action {
        // An older timeline of the archive counts too: the source may have gone back to it.
        let known = [end] + resume.others
        if let end = known.first(where: { $0.timeline.name == info.history }) {
            guard end.ordinal <= info.offset else { throw behind(end, info) }
            return try partial(end, from: end.ordinal, info)
        }
        if let end = known.first(where: { $0.timeline.name == info.olderHistory }),
            let fork = info.fork
        {
            return try partial(end, from: min(end.ordinal, fork), info)
        }
        throw lost(
            "Redis at \(place) does not know the archive's history \(end.timeline); it was "
                + "restarted without its replication id (with AOF, or without an RDB), or is "
                + "another server",
            "Tidemark records a gap and takes a new base backup by itself; to keep history over "
                + "restarts let the server save an RDB at shutdown (`CONFIG SET save \"3600 1\"`)")
    }

    private func partial(
        _ end: Position, from ordinal: UInt64, _ info: ServerInfo
    ) throws(TidemarkError) -> Action {
        if let backlog = info.backlog, backlog.contains(ordinal) {
            return .partial(id: end.timeline.name, from: ordinal + 1)
        }
        let kept = info.backlog.map { "bytes from \($0.lowerBound) on" } ?? "no backlog"
        throw lost(
            "Redis at \(place) no longer has the byte at \(ordinal), where the archive ends: it "
                + "keeps \(kept)",
            "Tidemark records a gap and takes a new base backup by itself; raise the backlog "
                + "(`CONFIG SET repl-backlog-size 256mb`)")
    }

    private func check(_ info: ServerInfo) throws(TidemarkError) {
        if info.isSentinel {
            throw TidemarkError(
                .sourceRefused, "\(place) is a Sentinel, which has no data",
                remedy: "give the address of the Redis server that it watches")
        }
        guard info.version >= .resumable else {
            throw TidemarkError(
                .sourceRefused, "\(info.product) at \(place) is too old to be archived",
                remedy: "upgrade it to 4.0 or later")
        }
        if info.isLoading || info.isPrimaryLinkDown {
            throw TidemarkError(
                .sourceUnreachable,
                info.isLoading
                    ? "Redis at \(place) is loading its data"
                    : "Redis at \(place) is a replica that has lost its primary",
                remedy: "Tidemark tries again by itself; see the server's log if this goes on")
        }
    }

    private func behind(_ end: Position, _ info: ServerInfo) -> TidemarkError {
        TidemarkError(
            .sourceUnreachable,
            "Redis at \(place) is at \(info.offset) of history "
                + "\(end.timeline), behind the archive's end \(end.ordinal)",
            remedy: "a replica that catches up is waited for; a server that was put back to an "
                + "older copy needs a restart to get a history of its own")
    }

    private func lost(_ message: String, _ remedy: String) -> TidemarkError {
        TidemarkError(.historyLost, message, remedy: remedy)
    }

    /// What the answer to the last action means. Throws `historyLost` when the server began a full
    /// resync although it was asked to go on: the connection is then to be closed at once.
    func handle(_ answer: Answer) throws(TidemarkError) -> Start {
        switch (action, answer) {
        case (.partial(let id, let from), .continues(let now)):
            let parent = Position(timeline: TimelineID(id), ordinal: from - 1)
            guard let now, now != id else {
                return Start(position: parent, parent: nil, hasPayload: false)
            }
            return Start(
                position: Position(timeline: TimelineID(now), ordinal: from - 1), parent: parent,
                hasPayload: false)
        case (.full, .fullResync(let id, let offset)):
            return Start(
                position: Position(timeline: TimelineID(id), ordinal: offset), parent: nil,
                hasPayload: true)
        case (.partial(let id, let from), .fullResync):
            throw lost(
                "Redis at \(place) can no longer send history \(id) from byte \(from) on",
                "Tidemark records a gap and takes a new base backup by itself; raise the backlog "
                    + "(`CONFIG SET repl-backlog-size 256mb`)")
        case (.full, .continues):
            throw TidemarkError(
                .sourceUnreachable, "Redis at \(place) goes on with a history nobody asked for",
                remedy: "check what stands between: a proxy may answer in the server's place")
        }
    }
}

extension StreamMachine.Answer {
    /// Nil for a line that is neither.
    init?(_ line: String) {
        let words = line.split(separator: " ")
        switch words.first {
        case "+CONTINUE": self = .continues(id: words.count > 1 ? String(words[1]) : nil)
        case "+FULLRESYNC":
            guard words.count >= 3, let offset = UInt64(words[2]) else { return nil }
            self = .fullResync(id: String(words[1]), offset: offset)
        default: return nil
        }
    }
}
