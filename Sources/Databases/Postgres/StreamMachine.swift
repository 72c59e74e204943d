import Model

/// The conversation that opens a stream and follows it over timelines. Pure: replies in, actions
/// out.
///
/// Steps: who are you (system identifier, timeline, flush position) · are you a primary · how large
/// are your segments · what does our slot hold (make it, if need be) · which timelines led here ·
/// START_REPLICATION. The starting point is the start of the segment that holds the archive's end,
/// or of the one before, so that some of it is always sent again;
/// the server's slot is only there to keep WAL, it never decides where we go on (a slot that is
/// ahead of the archive must not make a hole unseen).
struct StreamMachine: Sendable {
    /// What the caller does next; it hands all replies of a command to `handle`.
    enum Action: Sendable, Equatable {
        /// A replication command.
        case ask(String)
        /// A statement for a side connection; when it cannot be asked, hand over no replies.
        case askSQL(String)
        /// The stream runs; send a status that asks for a reply, and call `running` when a message
        /// has come that `showsStart`.
        case stream
        /// The timeline ended; everything about the next one is known.
        case timelineEnded(next: Position)
        /// The server ended the stream in good order.
        case finished
    }

    /// What is waited for.
    enum Step: Sendable, Equatable {
        case idle, identity, standby, readOnlyDefault, segmentSize
        case slot, slotDropped, slotCreated
        case history(of: UInt32)
        case start
        /// Between START_REPLICATION's answer and the first message.
        case starting
        case streaming
        case switching(to: UInt32, at: UInt64)
        case ended
    }

    /// A history file for the archive.
    struct Document: Sendable, Equatable {
        var name: String
        var timeline: TimelineID
        var content: [UInt8]
    }

    /// What the server's slot is.
    enum Slot: Sendable, Equatable {
        case unknown
        case missing
        /// It keeps nothing: never reserved, or invalidated.
        case empty
        case holds(from: UInt64, timeline: UInt32?)
    }

    let resume: ResumePoint
    let context: ConnectionFailure.Context
    let source: SourceID

    var step = Step.idle
    var version = 0
    var identity = ""
    /// Timeline and flush position of the server.
    var serverTimeline: UInt32 = 0
    var serverEnd: UInt64 = 0
    var size = WalSegmentSize.standard
    var slot = Slot.unknown
    /// The slot has been dropped and made again; once is enough.
    var hasRemadeSlot = false
    var history = TimelineHistory(root: 1)
    /// History files not yet handed to the sink.
    var documents: [Document] = []
    /// Ancestors whose files are still to be fetched.
    var wanted: [UInt32] = []
    /// Where the stream starts, or runs.
    var timeline: UInt32 = 0
    var start: UInt64 = 0
    /// It starts one segment before what is needed: what comes again proves, byte by byte, that the
    /// server's history is the archive's.
    var reachesBack = false

    init(_ resume: ResumePoint, _ context: ConnectionFailure.Context, source: SourceID) {
        self.resume = resume
        self.context = context
        self.source = source
    }

    /// The first action, once connected to a server of this version.
    mutating func begin(version: Int) throws(TidemarkError) -> Action {
        self.version = version
        try ServerVersion.check(version, context)
        step = .identity
        return .ask("IDENTIFY_SYSTEM")
    }

    /// The replies to the last action's command.
    mutating func handle(_ replies: [ConnectionReply]) throws(TidemarkError) -> Action {
        switch step {
        case .identity: return try identified(rows(replies))
        case .standby: return try checkedStandby(rows(replies))
        case .readOnlyDefault: return try checkedReadOnlyDefault(rows(replies))
        case .segmentSize: return try sized(rows(replies))
        case .slot: return try readSlot(replies)
        case .slotDropped: return try droppedSlot(replies)
        case .slotCreated: return try createdSlot(replies)
        case .history(let timeline): return try gotHistory(timeline, replies)
        case .start, .starting: return try started(replies)
        case .streaming: return try streamEnded(replies)
        case .switching(let timeline, let point):
            return try gotNextHistory(timeline, point, replies)
        case .idle, .ended: preconditionFailure("no reply is due in step \(step)")
        }
    }

    /// Whether a first message of this kind shows that the server has the WAL at the start.
    ///
    /// A keepalive shows it only where there is nothing to send: walsender.c answers our question
    /// before it opens the segment, and finds out only then that the segment is removed.
    func showsStart(keepalive: Bool) -> Bool { !keepalive || start >= serverEnd }

    /// Such a message has come: the server accepted the starting point.
    mutating func running() {
        precondition(step == .starting, "a stream runs only after it was started")
        step = .streaming
    }

    /// Begins the timeline that `timelineEnded` announced.
    mutating func startNext() -> Action {
        precondition(step == .start, "no next timeline is known")
        return startCommand()
    }

    /// What the archive knows of the source, or is to know from now on.
    func descriptor(created: CommitTime) -> SourceDescriptor {
        resume.descriptor
            ?? SourceDescriptor(
                source: source, kind: .postgres, identity: identity,
                majorVersion: String(version / 10_000), segmentBytes: size.bytes,
                created: created)
    }

    /// What `open` returns.
    func opening(created: CommitTime) -> StreamOpening {
        StreamOpening(
            descriptor: descriptor(created: created),
            start: Position(timeline: TimelineID(postgres: timeline), ordinal: start),
            serverVersion: String(version), sourceEnd: serverEnd)
    }

    /// The rows of the only answer; a refusal becomes an error.
    func rows(_ replies: [ConnectionReply]) throws(TidemarkError) -> ConnectionRows {
        for reply in replies {
            switch reply {
            case .rows(let rows): return rows
            case .failed(let failure): throw failure.error(context)
            case .done, .copyBoth, .copyIn, .copyOut, .none: continue
            }
        }
        throw unexpected("no rows")
    }

    func failure(_ replies: [ConnectionReply]) -> ConnectionFailure? {
        for case .failed(let failure) in replies { return failure }
        return nil
    }

    func unexpected(_ what: String) -> TidemarkError {
        TidemarkError(
            .sourceUnreachable, "Postgres at \(context.place) gave \(what) in step \(step)",
            remedy: "make sure that the URL names a Postgres server, not a connection pooler")
    }
}

// MARK: who the server is

extension StreamMachine {
    private mutating func identified(_ rows: ConnectionRows) throws(TidemarkError) -> Action {
        guard let identity = rows.text(0, 0), let timeline: UInt32 = rows.number(0, 1),
            let end = rows.lsn(0, 2)
        else { throw unexpected("an unreadable identity") }
        if let known = resume.descriptor?.identity, known != identity {
            throw TidemarkError(
                .sourceIdentityChanged,
                "Postgres at \(context.place) is another cluster (system identifier \(identity)) "
                    + "than the archive of source \(source) (\(known))",
                remedy: "correct the URL, or archive this cluster under a new source name")
        }
        self.identity = identity
        serverTimeline = timeline
        serverEnd = end
        history = TimelineHistory(root: timeline)
        step = .standby
        return .ask(version >= 140_000 ? "SHOW in_hot_standby" : "SHOW transaction_read_only")
    }

    private mutating func checkedStandby(_ rows: ConnectionRows) throws(TidemarkError) -> Action {
        guard rows.text(0, 0) == "on" else { return askSegmentSize() }
        if version >= 140_000 { throw ServerVersion.standby(context) }
        // 13: read-only also by configuration; only in recovery without it.
        step = .readOnlyDefault
        return .ask("SHOW default_transaction_read_only")
    }

    private mutating func checkedReadOnlyDefault(
        _ rows: ConnectionRows
    ) throws(TidemarkError) -> Action {
        if rows.text(0, 0) == "off" { throw ServerVersion.standby(context) }
        return askSegmentSize()
    }

    private mutating func askSegmentSize() -> Action {
        step = .segmentSize
        return .ask("SHOW wal_segment_size")
    }

    private mutating func sized(_ rows: ConnectionRows) throws(TidemarkError) -> Action {
        guard let text = rows.text(0, 0), let bytes = ServerVersion.bytes(text),
            let size = WalSegmentSize(bytes: bytes)
        else { throw unexpected("no segment size") }
        if let known = resume.descriptor?.segmentBytes, known != bytes {
            throw TidemarkError(
                .sourceIdentityChanged,
                "Postgres at \(context.place) has WAL segments of \(text), the archive of source "
                    + "\(source) of \(ByteCount(known))",
                remedy: "archive the changed cluster under a new source name")
        }
        self.size = size
        try checkNotBehind()
        return askSlot()
    }

    /// A server on the archive's timeline must have everything that it sent us before; one on an
    /// older timeline is the old primary of a cluster that has moved on.
    private func checkNotBehind() throws(TidemarkError) {
        guard let end = resume.end, let archived = end.timeline.postgresNumber else { return }
        if archived > serverTimeline {
            throw TidemarkError(
                .sourceIdentityChanged,
                "Postgres at \(context.place) is on timeline \(serverTimeline), the archive of "
                    + "source \(source) already on \(archived): this is an old primary",
                remedy: "point the URL at the server that was promoted")
        }
        guard archived == serverTimeline, end.ordinal > serverEnd, !resume.skipsLostHistory else {
            return
        }
        throw TidemarkError(
            .sourceIdentityChanged,
            "Postgres at \(context.place) ends at \(LSN.text(serverEnd)) on timeline "
                + "\(serverTimeline), before the archive's end \(LSN.text(end.ordinal)): it lost "
                + "WAL that it had sent, and will write other WAL in its place",
            remedy:
                "if it was rolled back to a copy, restart it in recovery and promote it, so that "
                + "it begins a new timeline; or archive it under a new source name")
    }
}
