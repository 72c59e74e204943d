import Model
import Platform

/// The side connection of one source: proofs, findings, marks, the window of its backlog.
///
/// Owned by one thread at a time; connects when first asked and again after a failure.
final class Inspect: SourceInspector {
    let configuration: RedisConfiguration
    let state: RoomState
    let time: any TimeSource
    private var connection: Connection?
    private var rate = StreamRate()

    init(_ configuration: RedisConfiguration, state: RoomState, time: any TimeSource) {
        self.configuration = configuration
        self.state = state
        self.time = time
    }

    func close() { connection = nil }

    /// Runs `body` on the open connection; after an error the next call makes a new one.
    func asking<R>(
        _ body: (inout Connection) throws(TidemarkError) -> R
    ) throws(TidemarkError) -> R {
        if connection?.isOwnThread == false { connection = nil }
        if connection == nil { connection = try Connection.open(configuration) }
        do throws(TidemarkError) {
            return try body(&connection!)
        } catch {
            connection = nil
            throw error
        }
    }

    // MARK: proofs

    func probe() throws(TidemarkError) -> Probe {
        let asked = time.monotonic()
        let wall = time.wall()
        state.update { $0.isUnproved = false }
        let known = try asking { (connection) throws(TidemarkError) in
            let sourceTime = try Questions.compareClocks(&connection, state, time)
            return (sourceTime, try self.position(&connection))
        }
        if case .failure = known.1 { state.update { $0.isUnproved = true } }
        let reached = try known.1.get()
        if reached.isCutOff {
            throw TidemarkError(
                .sourceUnreachable,
                "Redis at \(configuration.place) is a replica that has lost its primary: nothing "
                    + "written there since then is proved to be in the archive",
                remedy: "see `INFO replication` of the replica and its log")
        }
        // A replica knows of its primary only what it had heard when it last heard anything: the
        // proof is as if it had been asked for then.
        let age = reached.silence.map { Self.age(silence: $0, at: known.0) } ?? 0
        return Probe(
            timeline: reached.position.timeline, bound: reached.position.ordinal,
            sourceTime: known.0?.advanced(bySeconds: -age), asked: asked.advanced(bySeconds: -age),
            askedWall: wall.advanced(bySeconds: -age),
            answered: time.monotonic().advanced(bySeconds: -age), isWaitedFor: isWaitedFor)
    }

    /// How long ago a replica heard of its primary, at most: the server counts in whole seconds of
    /// its clock.
    static func age(silence: Double, at sourceTime: CommitTime?) -> Double {
        guard let sourceTime else { return silence + 1 }
        return silence + Double(sourceTime.microseconds % 1_000_000) / 1e6
    }

    /// What the server says of its history.
    private struct Reached {
        /// Its end.
        var position: Position
        /// See `ServerInfo.primarySilence`.
        var silence: Double?
        /// A replica without its primary.
        var isCutOff = false
    }

    /// The end of the source's history: by INFO, else by ROLE, which does not name the history; a
    /// failure where neither tells it to us, which the connection outlives.
    private func position(
        _ connection: inout Connection
    ) throws(TidemarkError) -> Result<Reached, TidemarkError> {
        if let info = try Questions.info(&connection, section: "replication"),
            let history = info.history
        {
            rate.add(info.offset, at: time.monotonic())
            return .success(
                Reached(
                    position: Position(timeline: TimelineID(history), ordinal: info.offset),
                    silence: info.primarySilence, isCutOff: info.isPrimaryLinkDown))
        }
        guard let role = try connection.answerIfAllowed(["ROLE"])?.elements, role.count > 1 else {
            return .failure(unproved("may use neither INFO nor ROLE"))
        }
        guard role[0].text != "slave" else {
            return .failure(
                unproved(
                    "may not use INFO, and of a replica ROLE does not tell when it last heard of "
                        + "its primary"))
        }
        guard let timeline = state.read({ $0.received?.timeline }),
            case .integer(let offset) = role[1], offset >= 0
        else {
            return .failure(
                unproved("may not use INFO, and ROLE does not name the history that is streamed"))
        }
        return .success(
            Reached(position: Position(timeline: timeline, ordinal: UInt64(offset))))
    }

    /// Neither INFO nor ROLE will tell the end, so nothing is proved.
    ///
    /// The stream itself proves nothing either. A PING carries no time; when it comes says only
    /// that it was made before, and on a slow link or behind a backlog that may be long ago. What
    /// `+FULLRESYNC` names is no end: it may be that of an RDB which was begun earlier for another
    /// replica.
    private func unproved(_ why: String) -> TidemarkError {
        let user = configuration.aclUser
        return TidemarkError(
            .sourceRefused,
            "user \(user) at \(configuration.place) \(why): how far the archive is behind cannot "
                + "be proved, only that it streams",
            remedy: "run `\(Self.proofGrant(user))`")
    }

    /// An idle server sends a PING every ten seconds (`repl-ping-replica-period`, whose default few
    /// change): two of them, and what a flush takes. Only where the server itself has just said
    /// that we may not ask: a wrong password or a proxy's refusal tells nothing of its life.
    var heartbeatSeconds: Double? { state.read { $0.isUnproved } ? 25 : nil }

    /// What lets the end of the source's history be known each second.
    static func proofGrant(_ user: String) -> String { "ACL SETUSER \(user) +info +time +role" }

    func sourceTime() throws(TidemarkError) -> CommitTime? {
        try asking { (connection) throws(TidemarkError) in
            try Questions.compareClocks(&connection, state, time)
        }
    }

    /// Somebody asked for our exact position lately: WAIT.
    private var isWaitedFor: Bool? {
        guard let asked = state.read({ $0.lastGetAck }) else { return false }
        return time.monotonic().seconds(since: asked) < 10
    }

    // MARK: marks

    func mark(_ name: String) throws(TidemarkError) -> RestorePoint {
        try asking { (connection) throws(TidemarkError) in
            // A command runs between others, so the offset that INFO tells is an edge.
            guard let info = try Questions.info(&connection, section: "replication"),
                let history = info.history
            else {
                throw TidemarkError(
                    .sourceRefused,
                    "user \(configuration.aclUser) at \(configuration.place) may "
                        + "not use INFO, so no position can be marked",
                    remedy: "run `ACL SETUSER \(configuration.aclUser) +info +time`")
            }
            let now = try Questions.compareClocks(&connection, state, time)
            return RestorePoint(
                name: name, timeline: TimelineID(history), position: info.offset,
                time: now ?? time.wall(), end: info.offset)
        }
    }

    // MARK: the window

    func sourceWindow() throws(TidemarkError) -> SourceWindow? {
        try asking { (connection) throws(TidemarkError) in
            guard let info = try Questions.info(&connection, section: "replication"),
                let size = info.backlogBytes
            else { return nil }
            rate.add(info.offset, at: time.monotonic())
            let archived = state.read { $0.received?.ordinal } ?? info.offset
            let outstanding = info.offset > archived ? info.offset - archived : 0
            let left = size > outstanding ? size - outstanding : 0
            return SourceWindow(
                kind: "backlog", headroomSeconds: rate.bytesPerSecond.map { Double(left) / $0 },
                headroomBytes: left)
        }
    }
}
