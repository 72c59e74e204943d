/// The stream of changes of one database, pulled by one thread that owns it.
///
/// Order of calls: `open`, then `pull` and `acknowledge` in turn, then `close`. After any error the
/// stream is closed and `open` may be called again.
package protocol ChangeSource: AnyObject {
    /// Connects, checks that this is the database of `resume`, and starts the stream.
    ///
    /// Throws `historyLost` when the source no longer has the byte at the archive's end: the caller
    /// records a gap and opens again with `resume.end` nil.
    func open(_ resume: ResumePoint) throws(TidemarkError) -> StreamOpening

    /// Hands what has arrived to `sink`; blocks until something came, `deadline` passed or `wake`
    /// was called. Returns at least once a deadline, so that the caller can flush and acknowledge.
    func pull(until deadline: MonotonicTime, into sink: any ChangeSink) throws(TidemarkError)
        -> StreamTurn

    /// Tells the source that everything below `durable` is durable in the archive; `received` is
    /// what has arrived. The source is answered at once when it asked, and every ten seconds.
    func acknowledge(received: UInt64, durable: UInt64) throws(TidemarkError)

    /// Members of the source that could have been read, and why another one is; empty where it has
    /// no members, or all would do. As it was when the stream was opened last.
    var passedOver: [PassedMember] { get }

    /// Makes a blocked `pull` return; may be called from any thread.
    func wake()

    /// Ends the stream and frees the connection; idempotent.
    func close()
}

extension ChangeSource {
    /// Most sources are one server.
    package var passedOver: [PassedMember] { [] }
}

/// A member of a source that is not read although it is there to be read.
package struct PassedMember: Hashable, Sendable {
    /// Its address.
    package var member: String
    /// A part of a sentence, the same one as long as the cause is.
    package var reason: String

    package init(member: String, reason: String) {
        self.member = member
        self.reason = reason
    }
}

/// What the archive already has of a source; values of a fresh archive are nil.
package struct ResumePoint: Sendable {
    /// The identity the archive belongs to; nil before first contact.
    package var descriptor: SourceDescriptor?
    /// End of the newest archived timeline; nil when nothing is archived.
    package var end: Position?
    /// Ends of the older timelines in the archive, for a source that went back and took another
    /// way.
    package var others: [Position]
    /// True after `historyLost`: start where the source can, whatever the archive's end.
    package var skipsLostHistory: Bool
    /// The archive's bytes before `end`, for a stream whose parts mean something only in order; nil
    /// where the room can go on without them.
    package var tail: StreamTail?
    /// Documents of `end`'s timeline by plain name (`<timeline>.history`).
    package var documents: [String: [UInt8]]
    /// At first contact: writes the descriptor into the archive. Called before anything is made at
    /// the source, so that whatever is there afterwards has an archive that knows of it.
    package var claim: (@Sendable (SourceDescriptor) throws(TidemarkError) -> Void)?
    /// Reads any stretch of the archive, for a room that proves that the stream joins it.
    package var archived: ArchivedBytes?
    /// Source time: what lies behind `end` was made after it. Nil when it is not known.
    package var proved: CommitTime?
    /// When the stream had to begin anew, as far as the archive shows it: the new histories behind
    /// its gaps. By the sidecar's clock.
    package var copies: [CommitTime] = []

    package init(
        descriptor: SourceDescriptor?, end: Position?, others: [Position] = [],
        skipsLostHistory: Bool = false, tail: StreamTail? = nil,
        documents: [String: [UInt8]] = [:]
    ) {
        self.descriptor = descriptor
        self.end = end
        self.others = others
        self.skipsLostHistory = skipsLostHistory
        self.tail = tail
        self.documents = documents
    }
}

/// The end of what is archived, from an edge of the stream to `ResumePoint.end`.
package struct StreamTail: Sendable {
    /// An edge: a segment's start, as a rule.
    package var first: UInt64
    /// What the room told of that edge, see `ChangeSink.edge`; empty when it is not known.
    package var state: String
    /// Lends the bytes in order, in pieces of any size.
    package var read:
        @Sendable (_ body: (RawSpan) throws(TidemarkError) -> Void) throws(TidemarkError) -> Void

    package init(
        first: UInt64, state: String,
        read:
            @escaping @Sendable (
                _ body: (RawSpan) throws(TidemarkError) -> Void
            ) throws(TidemarkError) -> Void
    ) {
        self.first = first
        self.state = state
        self.read = read
    }
}

/// What the source said when the stream opened.
package struct StreamOpening: Sendable {
    package var descriptor: SourceDescriptor
    /// First byte that will be sent; at or before the archive's end, on a segment's start.
    package var start: Position
    package var serverVersion: String
    /// End of the source's history at this moment.
    package var sourceEnd: UInt64
    /// What a replay that begins at `start` must know, see `ChangeSink.edge`; nil where nothing.
    package var state: String?
    /// After `historyLost`, where something that was archived turned out to lack a part: up to when
    /// it is whole, by the source's clock. Nothing later counts as proved before the gap.
    package var wholeUntil: CommitTime?

    package init(
        descriptor: SourceDescriptor, start: Position, serverVersion: String, sourceEnd: UInt64,
        state: String? = nil
    ) {
        self.descriptor = descriptor
        self.start = start
        self.serverVersion = serverVersion
        self.sourceEnd = sourceEnd
        self.state = state
    }
}

/// Takes what a stream delivers, in order.
package protocol ChangeSink: AnyObject {
    /// Bytes of the current timeline; `first` follows the last call without a hole. The bytes are
    /// lent for the call only.
    func append(_ bytes: RawSpan, at first: UInt64) throws(TidemarkError)
    /// Whole entries of a stream whose positions do not count bytes (`PositionStyle.countsBytes`);
    /// `last` is the position behind them. They can be cut apart neither by a crash nor by a
    /// reader. Where they are more than fits into memory, parts come before with `last` equal to
    /// `first`: those count, and are kept, only with the call that moves the position.
    func append(
        _ entries: RawSpan, from first: UInt64, to last: UInt64
    ) throws(TidemarkError)
    /// A commit, abort or restore point whose last byte has been appended.
    func note(_ entry: HistoryEntry) throws(TidemarkError)
    /// A small document that belongs to the timeline (a Postgres history file); durable on return.
    func attach(_ name: String, timeline: TimelineID, _ bytes: [UInt8]) throws(TidemarkError)
    /// The last `append` ended at an edge: everything before it can be replayed by itself. Where
    /// segments are not of a fixed size they may be cut here, and nowhere else. `state` is what a
    /// replay that begins here must know (Redis: the selected database).
    func edge(_ position: UInt64, state: String) throws(TidemarkError)
}

extension ChangeSink {
    /// Positions of most streams count bytes.
    package func append(
        _ entries: RawSpan, from first: UInt64, to last: UInt64
    ) throws(TidemarkError) {
        precondition(
            last - first == UInt64(entries.byteCount), "positions of this stream count bytes")
        try append(entries, at: first)
    }

    /// Most streams can be cut at fixed places.
    package func edge(_ position: UInt64, state: String) throws(TidemarkError) {}
}

/// How one `pull` ended.
package enum StreamTurn: Sendable, Equatable {
    /// Bytes came and more may be waiting: go on, flushing only by age or size.
    case received
    /// Everything that had arrived was taken. Flush now: a commit may be waiting for it.
    case drained
    /// Nothing came before the deadline, or `wake` was called.
    case idle
    /// The source asks for an answer: flush, acknowledge.
    case replyRequested
    /// This timeline ended at its switch point; the next bytes belong to `next`.
    case timelineEnded(next: Position)
    /// The server shuts down in good order; everything it had was sent.
    case finished
}
