/// What the flow asks of a database; one implementation per room.
package protocol DatabaseRoom: AnyObject, Sendable {
    var kind: DatabaseKind { get }
    var source: SourceID { get }
    /// How positions are printed for this source; the segment size comes from `source.json`.
    func style(segmentBytes: UInt64) -> any PositionStyle
    /// A new, closed stream.
    func stream() -> any ChangeSource
    /// A new, closed side connection for questions.
    func inspector() -> any SourceInspector
    /// A new base backup in preparation.
    func baseBackup() -> any BaseBackupSource
}

/// The side connection: proofs, findings, marks. Owned by one thread at a time; reconnects by
/// itself.
package protocol SourceInspector: AnyObject {
    /// An upper bound of what the source has committed, read after its clock.
    ///
    /// Once everything below `bound` is durable, every commit up to `sourceTime` is.
    func probe() throws(TidemarkError) -> Probe
    /// The source's clock, without a proof; nil where the source does not tell its time. Default:
    /// by a probe.
    func sourceTime() throws(TidemarkError) -> CommitTime?
    /// Every missing setting or privilege, with the statement that mends it.
    func check() throws(TidemarkError) -> [Finding]
    /// Writes a named restore point and returns its place.
    func mark(_ name: String) throws(TidemarkError) -> RestorePoint
    /// Room left before the source drops history the archive still needs; nil when not known.
    func sourceWindow() throws(TidemarkError) -> SourceWindow?
    /// Asked when the repository holds nothing of the source: why it must not begin a new archive,
    /// because the source keeps history for another one. Nil when nothing speaks against it.
    /// Default: nil.
    func claim() throws(TidemarkError) -> TidemarkError?
    /// For how many seconds an idle stream that is alive may bring nothing, where the source
    /// answered the last question and refused to tell its end; nil otherwise. Default: nil.
    var heartbeatSeconds: Double? { get }
    func close()
}

extension SourceInspector {
    package func sourceTime() throws(TidemarkError) -> CommitTime? { try probe().sourceTime }
    package func claim() throws(TidemarkError) -> TidemarkError? { nil }
    package var heartbeatSeconds: Double? { nil }
}

/// One proof in the making.
package struct Probe: Sendable {
    package var timeline: TimelineID
    package var bound: UInt64
    /// The source's clock, read before `bound`; nil where the source does not tell its time.
    package var sourceTime: CommitTime?
    /// The sidecar's clocks before the question was sent, and after the answer came.
    package var asked: MonotonicTime
    package var askedWall: CommitTime
    package var answered: MonotonicTime
    /// What the source itself has made durable; nil where it does not tell. Never above `bound`.
    package var flushed: UInt64?
    /// Whether somebody at the source waits for this archiver (synchronous standby, WAIT); nil
    /// where it cannot be known.
    package var isWaitedFor: Bool?
    /// Identity of the source that answered; a probe of another database proves nothing. Nil where
    /// it cannot be known.
    package var identity: String?
    /// End of the source's history when it answered. A source whose end lies before what it has
    /// sent went back, and proves nothing; nil where it cannot be known.
    package var end: UInt64?
    /// What keeps proofs from being as fine as they could be, a sentence; empty where nothing does.
    package var caveat = ""

    package init(
        timeline: TimelineID, bound: UInt64, sourceTime: CommitTime?, asked: MonotonicTime,
        askedWall: CommitTime, answered: MonotonicTime, flushed: UInt64? = nil,
        isWaitedFor: Bool? = nil, identity: String? = nil, end: UInt64? = nil
    ) {
        self.timeline = timeline
        self.bound = bound
        self.sourceTime = sourceTime
        self.asked = asked
        self.askedWall = askedWall
        self.answered = answered
        self.flushed = flushed
        self.isWaitedFor = isWaitedFor
        self.identity = identity
        self.end = end
    }
}

/// One line of `check`.
package struct Finding: Sendable, Hashable {
    package enum Level: String, Sendable { case ok, warning, error }

    package var level: Level
    /// What was looked at and what was found.
    package var message: String
    /// The exact statement or setting that mends it; empty when nothing is to be done.
    package var remedy: String

    package init(_ level: Level, _ message: String, remedy: String = "") {
        self.level = level
        self.message = message
        self.remedy = remedy
    }
}
