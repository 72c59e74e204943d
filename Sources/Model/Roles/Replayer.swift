/// What a restore asks of a room: to read the archive's history, to find the exact stop, and to lay
/// down a copy of the database.
package protocol Replayer: AnyObject, Sendable {
    var kind: DatabaseKind { get }
    /// Names of files that only the data directory of such a server holds; a copy of anything is
    /// never written below one. Default: none.
    var dataDirectoryMarks: [String] { get }
    /// Why no server can be started on the folder that a restore leaves, as a part of a sentence;
    /// nil where one can. Default: nil.
    var unstartable: String? { get }
    /// How positions are printed and segments are named.
    func style(segmentBytes: UInt64) -> any PositionStyle
    /// What a file name that the database asks for during recovery means; nil for a name that is
    /// none of the stream's.
    func request(_ name: String, segmentBytes: UInt64) -> StreamRequest?
    /// Whether restore points are records of the stream, which `search` finds by name; where they
    /// are not, the archive keeps them as positions. Default: true.
    var hasPointsInStream: Bool { get }
    /// The same of one timeline, where a source can be read in two ways. Default: as of all.
    func hasPoints(inStreamOf timeline: TimelineID) -> Bool
    /// The timelines that `timeline` descends from, oldest first, as its documents say; empty for
    /// a first timeline. `documents` holds the contents by plain name.
    func ancestors(
        of timeline: TimelineID, _ documents: [String: [UInt8]]
    ) throws(TidemarkError) -> [Ancestor]
    /// Name of the document that says what a timeline lacks amid what it has; nil where nothing
    /// can come late. Default: nil.
    var lateDocument: String? { get }
    /// What such a document of `timeline` says.
    func lateLoss(_ document: [UInt8], on timeline: TimelineID) -> LateLoss
    /// A search for the exact stop in the stream's own bytes.
    /// `timeline` is the one recovery follows.
    func search(
        _ question: StopQuestion, of descriptor: SourceDescriptor, on timeline: TimelineID
    ) -> any StopSearch
    /// Checks tools and destination, and prepares a copy; writes nothing yet.
    func restoration(_ order: RestoreOrder) throws(TidemarkError) -> any Restoration
    /// Finds commits and restore points in the stream's bytes; `timeline` is the one they lie on.
    func scan(of descriptor: SourceDescriptor, on timeline: TimelineID) -> any HistoryScan
    /// A search for destructive events on one timeline; nil where this version has none.
    func events(of descriptor: SourceDescriptor, on timeline: TimelineID) -> (any EventScan)?
    /// Makes a file of the database's own out of a stretch of the stream; nil where each archived
    /// segment is such a file already. Default: nil.
    func export(_ order: StreamExportOrder) -> (any StreamExport)?
    /// What the room told of a base backup's start, see `ChangeSink.edge`; empty where nothing.
    /// Default: empty.
    func state(of server: ServerFacts) -> String
    /// What the stream of a timeline does not carry, so that a copy has it as the base backup does
    /// or not at all: for the plan's reader. Default: nothing.
    func omissions(of server: ServerFacts, on timeline: TimelineID) -> [String]
    /// What the beginning of a segment says about itself. Throws `failed` for other bytes.
    func identify(_ segment: RawSpan) throws(TidemarkError) -> SegmentIdentity
}

extension Replayer {
    package var dataDirectoryMarks: [String] { [] }

    package var unstartable: String? { nil }

    package var hasPointsInStream: Bool { true }

    package func hasPoints(inStreamOf timeline: TimelineID) -> Bool { hasPointsInStream }

    package var lateDocument: String? { nil }

    package func lateLoss(_ document: [UInt8], on timeline: TimelineID) -> LateLoss {
        preconditionFailure("nothing comes late to a \(kind)")
    }

    package func events(
        of descriptor: SourceDescriptor, on timeline: TimelineID
    ) -> (any EventScan)? { nil }

    package func export(_ order: StreamExportOrder) -> (any StreamExport)? { nil }

    package func state(of server: ServerFacts) -> String { "" }

    package func omissions(of server: ServerFacts, on timeline: TimelineID) -> [String] { [] }
}

/// A file of the stream, as the database names it.
package enum StreamRequest: Hashable, Sendable {
    case segment(PositionRange)
    /// A timeline's document; `name` is its plain name in the archive.
    case document(timeline: TimelineID, name: String)
    /// The unfinished last segment of a timeline that ended.
    case unfinished(PositionRange)
    /// A label that a base backup leaves beside the segments; no recovery asks for it.
    case label
}

/// What the first page of a segment says about itself.
package struct SegmentIdentity: Hashable, Sendable {
    package var identity: String
    package var majorVersion: String
    package var segmentBytes: UInt64
    package var first: UInt64

    package init(identity: String, majorVersion: String, segmentBytes: UInt64, first: UInt64) {
        self.identity = identity
        self.majorVersion = majorVersion
        self.segmentBytes = segmentBytes
        self.first = first
    }
}

/// A timeline that another one left at `end`.
package struct Ancestor: Hashable, Sendable, Codable {
    package var timeline: TimelineID
    package var end: UInt64

    package init(timeline: TimelineID, end: UInt64) {
        self.timeline = timeline
        self.end = end
    }
}

/// Where recovery has to stop, before the stream's bytes were looked at.
package enum StopQuestion: Hashable, Sendable {
    /// After everything committed at or before this moment.
    case time(CommitTime)
    /// After this transaction's commit or abort.
    case transaction(UInt64)
    /// After everything that ends at or before this position.
    case position(UInt64)
    /// Before the record (or entry) that starts at this position.
    case before(UInt64)
    /// After the first restore point of this name.
    case point(String)
    /// After the last whole record.
    case end
}

/// The exact place where recovery stops.
package struct RecoveryStop: Hashable, Sendable {
    /// Start of the last record (or entry) to replay.
    package var last: UInt64
    /// First position after it; recovery ends here.
    package var end: UInt64
    /// Newest commit at or before the stop that the search has seen.
    package var time: CommitTime?

    package init(last: UInt64, end: UInt64, time: CommitTime?) {
        self.last = last
        self.end = end
        self.time = time
    }
}

/// A search through the stream, fed in order from the start of any segment.
package protocol StopSearch: AnyObject {
    /// The index of the segment whose bytes come next, for streams that do not carry their times.
    func index(_ entries: [TimeIndexEntry])
    /// Takes the next bytes. The answer, as soon as it is certain.
    func take(_ bytes: RawSpan, at first: UInt64) throws(TidemarkError) -> StopAnswer?
    /// Says that nothing follows.
    func finish() throws(TidemarkError) -> StopAnswer
}

extension StopSearch {
    /// Most streams carry the times of their commits.
    package func index(_ entries: [TimeIndexEntry]) {}
}

/// Reads the stream's bytes in order, from any segment's or page's start on.
package protocol HistoryScan: AnyObject {
    /// Takes the next bytes and hands on each entry that ends in them, in order.
    func take(
        _ bytes: RawSpan, at first: UInt64, _ found: (HistoryEntry) throws(TidemarkError) -> Void
    ) throws(TidemarkError)
}

/// Looks for what took much away at once, fed in order from the start of any segment.
package protocol EventScan: AnyObject {
    /// Whether an event may begin in one segment and end in the next, so that the one before has
    /// to be taken first.
    var crossesSegments: Bool { get }
    /// Whether what came long before an event may decide where it begins, so that only a search
    /// from the start is exact. Default: false.
    var dependsOnPast: Bool { get }
    /// The index of the segment whose bytes come next, and what the room told of its start.
    func index(_ entries: [TimeIndexEntry], state: String?)
    /// Takes the next bytes and hands on each event that ends in them, in order.
    func take(
        _ bytes: RawSpan, at first: UInt64,
        _ found: (DestructiveEvent) throws(TidemarkError) -> Void
    ) throws(TidemarkError)
}

extension EventScan {
    /// Most streams are cut where nothing is under way.
    package var crossesSegments: Bool { false }

    package var dependsOnPast: Bool { false }
}

/// What a search has found.
package enum StopAnswer: Hashable, Sendable {
    case stop(RecoveryStop)
    /// The stop lies before the first record that the search was given.
    case earlier
    /// What was asked for is not in the bytes given; the last whole record is, if there is one.
    case absent(last: RecoveryStop?)
}

/// Everything a room needs to lay down a copy.
package struct RestoreOrder: Sendable {
    package var source: SourceID
    package var descriptor: SourceDescriptor
    package var backup: BaseBackupDescriptor
    /// The folder that becomes the data directory.
    package var destination: String
    /// Old and new place of tablespaces.
    package var relocations: [String: String]
    package var timeline: TimelineID
    /// Nil for everything the archive has.
    package var stop: RecoveryStop?
    /// The command, ready for a shell, that brings a file of the archive: name and path follow it.
    package var fetchCommand: String
    /// Folders where the server's own programs may lie; empty for the usual ones.
    package var programs: [String]
    /// Write into a destination that holds something.
    package var force: Bool
    /// The server will be started, so its programs must be here.
    package var starts: Bool
    /// What becomes of keys that live for a limited time.
    package var expiry: ExpiryOrder
    /// URL of a live, empty server to fill instead of a folder; may hold a password.
    package var server: String?
    /// Whom root would have to become to start or stop the copy's server; nil for whoever restores.
    package var runsAs: String?
    /// The server that the archive is of, which is never written over.
    package var origin = ArchivedServer()
    /// Hears, before something is done, what the end of this process would leave from then on, and
    /// what is to be done then: a part of a sentence.
    package var leaves: @Sendable (String) -> Void = { _ in }

    /// Of a folder that is being written.
    package var halfWritten: String {
        "\(destination) is half written, and no server starts on it; give the same command again "
            + "with --force"
    }

    /// The beginning of a command for the operator's shell.
    package var commandPrefix: String { runsAs.map { "runuser -u \($0) -- " } ?? "" }

    package init(
        source: SourceID, descriptor: SourceDescriptor, backup: BaseBackupDescriptor,
        destination: String, relocations: [String: String], timeline: TimelineID,
        stop: RecoveryStop?, fetchCommand: String, programs: [String], force: Bool,
        starts: Bool, expiry: ExpiryOrder = .keep, server: String? = nil,
        runsAs: String? = nil
    ) {
        self.source = source
        self.descriptor = descriptor
        self.backup = backup
        self.destination = destination
        self.relocations = relocations
        self.timeline = timeline
        self.stop = stop
        self.fetchCommand = fetchCommand
        self.programs = programs
        self.force = force
        self.starts = starts
        self.expiry = expiry
        self.server = server
        self.runsAs = runsAs
    }
}

/// A copy being laid down. Order of calls: `begin`, then per file `open` and `write`, then
/// `complete`; then, if the server is wanted, `start`. Calls come from one thread at a time.
///
/// Interrupted anywhere before `complete` has returned, it leaves a destination that no server
/// starts from.
package protocol Restoration: AnyObject {
    /// Problems worth a line for the operator.
    var warnings: [String] { get }
    /// What is good to know, and no problem.
    var notes: [String] { get }
    /// How a server is started on the finished copy by hand; nil for a server that runs.
    var nextStep: String? { get }
    /// Empties or makes the destination. The first call that writes.
    func begin() throws(TidemarkError)
    /// The next stored file; its content follows by `write`. Manifest and configuration files come
    /// before tablespaces, the data directory comes last.
    func open(_ file: StoredFile) throws(TidemarkError)
    /// Content in order; lent for the call only.
    func write(_ bytes: RawSpan) throws(TidemarkError)
    /// Ends the file opened last; throws when its content is not whole.
    func close() throws(TidemarkError)
    /// Whether the stream behind the base backup is handed over here, because the server does not
    /// fetch it by itself.
    var takesStream: Bool { get }
    /// The index of the segment whose bytes come next, for streams that do not carry their times.
    func index(_ entries: [TimeIndexEntry])
    /// After the last file: the stream from `backup.start` or before it up to the stop, in order
    /// and only what lies on the way to the target's timeline; lent for the call only.
    func stream(_ bytes: RawSpan, at first: UInt64) throws(TidemarkError)
    /// Writes the recovery settings, makes everything durable, and lets the server start.
    func complete() throws(TidemarkError)
    /// The error of a call since `begin`, or of reading the archive meanwhile, with what it leaves
    /// behind and what to do then, where the destination does not speak for itself. Default: as it
    /// is.
    func failed(_ error: TidemarkError) -> TidemarkError
    /// An earlier run had completed it, and was ended before it could say so: none of the calls
    /// before `conclude` are made. Default: false.
    var isComplete: Bool { get }
    /// After the result was told: takes away what a run that is ended before finds itself complete
    /// by. Default: nothing.
    func conclude() throws(TidemarkError)
    /// Starts the database's own server and waits until it has recovered.
    func start(port: UInt16?) throws(TidemarkError) -> RestoredServer
}

extension Restoration {
    /// What is told of it beside the plan.
    package var notices: RestoreNotices {
        RestoreNotices(warnings: warnings, notes: notes, nextStep: nextStep)
    }

    package var nextStep: String? { nil }
    package var takesStream: Bool { false }
    package var isComplete: Bool { false }
    package func conclude() throws(TidemarkError) {}
    package func failed(_ error: TidemarkError) -> TidemarkError { error }
    package func index(_ entries: [TimeIndexEntry]) {}
    package func stream(_ bytes: RawSpan, at first: UInt64) throws(TidemarkError) {
        preconditionFailure("this server fetches the stream by itself")
    }
}

/// What a room tells of a restore.
package struct RestoreNotices: Hashable, Sendable {
    package var warnings: [String]
    package var notes: [String]
    package var nextStep: String?

    package init(warnings: [String], notes: [String], nextStep: String?) {
        self.warnings = warnings
        self.notes = notes
        self.nextStep = nextStep
    }
}

/// A server that runs on a restored copy.
package struct RestoredServer: Hashable, Sendable {
    /// How a client reaches it; holds no secret.
    package var url: String
    /// Where recovery ended.
    package var reached: Position
    /// Process id, for messages.
    package var process: Int32

    package init(url: String, reached: Position, process: Int32) {
        self.url = url
        self.reached = reached
        self.process = process
    }
}
