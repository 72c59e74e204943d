package import Mongo

/// What the double holds, and the faults it is to make.
package struct MongoDoubleState: Sendable {
    package struct Entry: Sendable {
        package var ts: OpTime
        package var bytes: [UInt8]
    }

    /// One collection or view of the base.
    package struct Stored: Sendable {
        package var type = "collection"
        package var options = BSONDocument.empty
        package var indexes: [BSONDocument] = []
        package var uuid: CollectionUUID?
        package var documents: [BSONDocument] = []
        /// Of the buckets of a time series: those of mixed schema are taken (`collMod`).
        var takesMixedBuckets = false

        package init() {}
    }

    enum Cursor: Sendable {
        /// The next entry to send.
        ///
        /// `onMajority`: only what a majority has, as the read concern says.
        case oplog(Int, onMajority: Bool)
        /// The next event to send.
        case changes(Int)
        /// Behind the token of an event that there is not: the first event that comes after it.
        case astray(Int)
        case documents([BSONDocument])
    }

    package struct Failure: Error, Sendable {
        package var code: Int32
        package var name: String
        package var message: String

        package init(_ code: Int32, _ name: String, _ message: String) {
            self.code = code
            self.name = name
            self.message = message
        }
    }

    let port: Int
    package var setName: String? = "rs0"
    package var replicaSetID: [UInt8] = Array(1...12)
    package var version = "4.4.4"
    package var wireVersion: Int32 = 9
    package var minWireVersion: Int32 = 0
    package var isPrimary = true
    package var isRouter = false
    /// Of the set's configuration, and how many elections there were.
    package var configVersion: Int32 = 1
    package var term: Int64 = 1
    /// Ports of the set's other members, and of its primary where that is another.
    package var others: [Int] = []
    package var primary: Int?
    package var entries: [Entry] = []
    /// Entries before it have fallen off the oplog.
    package var first = 0
    /// Entries from it on are not written yet.
    package var visible = 0
    /// So many of the newest are not on a majority.
    package var lag = 0
    /// What a change stream tells, recorded with the entries; all up to the majority's newest.
    package var events: [Entry] = []
    /// The pipeline that a change stream was opened with last.
    package var changePipeline: [BSONDocument] = []
    /// `$changeStream` of each change stream that was opened.
    package var changeStreams: [BSONDocument] = []
    /// Bytes that the oplog may hold; nil: nobody may ask.
    package var oplogLimit: Int?
    package var collections: [Namespace: Stored] = [:]
    /// What reads as of a moment (`atClusterTime`) see; nil for a server that has none.
    package var frozen: [Namespace: Stored]?
    /// Documents are told to be so many times as large as they are.
    package var sizeFactor: Int64 = 1
    /// Milliseconds since 1970 of the server's clock; nil for the real one.
    package var clock: Int64?

    package var contact = MongoDoubleContact()

    // Faults.
    /// The next commands of a name fail like this, one after the other.
    package var nextFailures: [String: [Failure]] = [:]
    /// Seconds that the answer to a command comes late.
    package var delays: [String: Double] = [:]
    /// The next `getMore` of a tailed cursor is told that this was all.
    package var endsCursor = false
    /// Commands that fail: `find`, or `find on local`.
    package var failures: [String: Failure] = [:]
    /// The next answer of at least so many bytes is cut in its middle.
    package var cutsAnswersFrom: Int?
    /// What happens at the server before it answers a command of this name.
    package var meanwhile: [String: @Sendable (inout MongoDoubleState, BSONDocument) -> Void] = [:]
    /// `min` and `max` are passed over, as by some that speak the protocol.
    package var ignoresBounds = false
    /// A change stream begins at a time older than the oplog with what is left, as with some that
    /// speak the protocol; by a token they say that it is lost.
    package var ignoresLostTimes = false
    /// Documents of a collection in one answer.
    package var batchDocuments = Int.max
    /// The next answer of at least so many bytes has other bytes in its middle.
    package var damagesAnswersFrom: Int?
    /// The next answer about the oplog, or of a change stream, begins so many entries or events
    /// before the cursor's place.
    package var goesBack: Int?
    /// A change stream that has come to this event is interrupted.
    package var failsAtEvent: Int?
    /// How many entries have been sent by tailed cursors, or lie before them.
    package var sent = 0
    /// Bytes of entries in one answer.
    package var batchBytes = 16 << 20
    /// When the other members answered a heartbeat last, in milliseconds since 1970; nil: now.
    package var answered: Int64?
    /// How often each command came.
    package var commands: [String: Int] = [:]
    /// The notes that were asked for, whole.
    package var notes: [BSONDocument] = []
    /// What was asked, whole and in order.
    package var record = MongoDoubleRecord()
    /// So many seconds pass between a write and its answer; others are answered meanwhile.
    package var writesTake: Double?
    /// Collections and `_id`s that were given a name by the double.
    var named: UInt32 = 0

    var cursors: [Int64: Cursor] = [:]
    var places: [Int64: Namespace] = [:]
    var lost: Set<Int64> = []
    /// The cursor that was opened last.
    package internal(set) var nextCursor: Int64 = 1000
    var sockets: Set<Int32> = []

    /// One more entry behind the others, as it was recorded.
    package mutating func add(_ bytes: [UInt8]) {
        guard let document = try? BSONDocument(bytes), let ts = document["ts"]?.timestamp else {
            preconditionFailure("the double serves recorded entries")
        }
        entries.append(Entry(ts: ts, bytes: bytes))
    }

    /// A router of a sharded cluster, which has an identity and no `lastWrite`.
    package static func makeRouter(_ state: inout MongoDoubleState) {
        state.setName = nil
        state.isRouter = true
        var version = Stored()
        version.documents = [
            BSONDocument([("_id", .int32(1)), ("clusterId", .objectID(Array(1...12)))])
        ]
        state.collections[Namespace("config", "version")] = version
    }

    var hasExpandedEvents: Bool { isAtLeast(6) }

    func isAtLeast(_ major: Int, _ minor: Int = 0) -> Bool {
        let parts = version.split(separator: ".").compactMap { Int($0) }
        return (parts.first ?? 0, parts.count > 1 ? parts[1] : 0) >= (major, minor)
    }

    /// Entries that a majority read shows: up to here.
    var committed: Int { max(first, visible - lag) }
    /// Entries that a cursor shows.
    func shown(onMajority: Bool) -> Int { onMajority ? committed : max(first, visible) }

    /// Whether that event has been written on a majority.
    func hasEvent(_ index: Int) -> Bool {
        index < events.count && events[index].ts <= majority
    }

    /// The first event that is not before that time.
    func next(from time: OpTime) -> Int { events.firstIndex { $0.ts >= time } ?? events.count }

    package var newest: OpTime { visible > 0 ? entries[visible - 1].ts : .zero }
    package var majority: OpTime { committed > 0 ? entries[committed - 1].ts : .zero }

    /// A change stream that has come to the majority's newest tells of this event next, whatever
    /// its time.
    package mutating func tellLate(_ event: BSONDocument) {
        let place = next(from: OpTime(ordinal: majority.ordinal + 1))
        let ts = event["clusterTime"]?.timestamp ?? .zero
        events.insert(Entry(ts: ts, bytes: event.bytes), at: place)
    }

    /// Gives a collection another name; whoever reads it loses the cursor.
    package mutating func rename(_ from: Namespace, to: Namespace) {
        collections[to] = collections.removeValue(forKey: from)
        loseCursors()
    }

    /// Takes a collection away; whoever reads it loses the cursor.
    package mutating func drop(_ namespace: Namespace) {
        collections[namespace] = nil
        loseCursors()
    }

    package mutating func loseCursors() {
        cursors = cursors.filter { _, cursor in
            if case .documents = cursor { return false }
            return true
        }
    }

    /// - Parameter place: where its `getMore` has to ask for it.
    mutating func newCursor(_ cursor: Cursor, at place: Namespace) -> Int64 {
        nextCursor += 1
        cursors[nextCursor] = cursor
        places[nextCursor] = place
        return nextCursor
    }
}
