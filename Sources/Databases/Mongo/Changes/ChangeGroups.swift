/// Events of a change stream, laid one behind the other as the archive stores them, until it is
/// certain that no more of the same cluster time follow. Pure.
///
/// A position is a cluster time, and all events of a transaction share one. A time is complete when
/// a later one was seen: in an event, or in the token behind the batch. On a replica set it is also
/// complete when the cursor had nothing more to give, since one entry of the oplog makes all events
/// of a time; of a router that is not so, because another shard may still have some.
///
/// Of a transaction that is larger than `limit` the parts are handed on as they come, all but the
/// newest event: the archive does not count them before the last one is there.
struct ChangeGroups {
    /// What the archive's index is told.
    struct Note: Hashable, Sendable {
        var time: OpTime
        var wall: Int64
    }

    private(set) var bytes: [UInt8] = []
    /// Bytes whose times are complete, the last of them, and where its last document begins.
    private(set) var ready = 0
    private(set) var readyTime = OpTime.zero
    private var readyLast = 0
    private(set) var notes: [Note] = []
    /// The time that is not complete, and its last document.
    private var time: OpTime
    private var lastStart = 0
    /// The last document is a part of an event.
    private var isContinued = false
    /// Bytes that had come when a cursor died, and have to come again.
    private var expected: [UInt8] = []

    /// Everything up to here was archived before, or has been handed on.
    private var told: OpTime

    /// What becomes of an event.
    enum Taken: Hashable, Sendable {
        case held
        /// Its time is one that has been handed on: it was told before, or it is missing there. Not
        /// taken; where it lies.
        case late(Range<Int>)
    }

    /// Parts of the time that is not complete have been handed on.
    private(set) var isInParts = false

    /// Bytes of one transaction that are held.
    static let limit = 64 << 20
    let limit: Int
    /// Of a larger one, what is held before it is handed on.
    private static let partBytes = 1 << 20

    /// - Parameter time: everything up to here is archived.
    init(behind time: OpTime, limit: Int = Self.limit) {
        self.time = time
        self.limit = limit
        told = time
    }

    /// Some of a time have come that is not complete.
    var isHolding: Bool { bytes.count > ready }

    /// Takes the event that begins at `start`.
    ///
    /// One that comes too late among what was not handed on yet is an error: nothing wrong has been
    /// archived, and whoever asks again gets it in its place.
    @discardableResult
    mutating func take(_ reply: Span<UInt8>, at start: Int) throws(BSONFailure) -> Taken {
        let head = try EntryHead(reply, at: start, previous: time)
        guard head.isEvent else { throw BSONFailure("an event has no clusterTime", at: start) }
        if head.ts == time, isHolding, !isInParts,
            begins(with: reply, start..<start + head.length)
        {
            // All of this time comes once more.
            restart()
        }
        if head.ts > time, !isContinued {
            try complete()
            time = head.ts
        } else if head.ts <= told {
            return .late(start..<start + head.length)
        } else if head.ts != time || !isHolding {
            throw BSONFailure("a change stream went from \(time) to \(head.ts)", at: start)
        }
        lastStart = bytes.count
        isContinued = head.isContinued
        let event = reply.extracting(start..<start + head.length)
        unsafe event.withUnsafeBufferPointer { unsafe bytes.append(contentsOf: $0) }
        if let wall = head.wall, wall != notes.last?.wall {
            notes.append(Note(time: head.ts, wall: wall))
        }
        return .held
    }

    /// Whether what is held of the time that is not complete begins with this event.
    private func begins(with reply: Span<UInt8>, _ place: Range<Int>) -> Bool {
        guard bytes.count - ready >= place.count else { return false }
        for offset in 0..<place.count
        where bytes[ready + offset] != reply[place.lowerBound + offset] { return false }
        return true
    }

    /// Says that everything up to `bound` has come.
    mutating func settle(_ bound: OpTime) throws(BSONFailure) {
        guard isHolding, bound >= time, !isContinued else { return }
        try complete()
    }

    private mutating func requireExpected() throws(BSONFailure) {
        guard !expected.isEmpty else { return }
        guard bytes[ready...].starts(with: expected) else {
            throw BSONFailure("events that were sent again are not the same", at: 0)
        }
        expected = []
    }

    /// Says that everything has come that there is.
    mutating func settle() throws(BSONFailure) { try settle(time) }

    private mutating func complete() throws(BSONFailure) {
        guard isHolding else { return }
        try requireExpected()
        ready = bytes.count
        readyTime = time
        readyLast = lastStart
        isInParts = false
    }

    /// More of the time that is not complete is held than may be. The last document stays: it is to
    /// move the position.
    var isPartDue: Bool {
        bytes.count - ready > (isInParts ? Self.partBytes : limit) && lastStart > ready
    }

    /// What is to be handed on of the time that is not complete, whole documents.
    mutating func part() throws(BSONFailure) -> ArraySlice<UInt8> {
        precondition(ready == 0, "what is complete is handed on before a part of what is not")
        try requireExpected()
        return bytes[..<lastStart]
    }

    /// What `part` said has been handed on.
    mutating func clearPart() {
        bytes.removeFirst(lastStart)
        lastStart = 0
        isInParts = true
    }

    /// Puts our own mark behind everything; false when it would say nothing new.
    mutating func add(_ mark: BSONDocument, at place: OpTime, wall: Int64?) -> Bool {
        guard !isHolding, place > time else { return false }
        time = place
        lastStart = bytes.count
        bytes += mark.bytes
        ready = bytes.count
        readyTime = place
        readyLast = lastStart
        if let wall, wall != notes.last?.wall { notes.append(Note(time: place, wall: wall)) }
        return true
    }

    /// The last document that is ready.
    func lastDocument() throws(BSONFailure) -> BSONDocument? {
        ready == 0 ? nil : try BSONDocument(Array(bytes[readyLast..<ready]))
    }

    /// What is ready has been handed on.
    mutating func clear() {
        bytes.removeFirst(ready)
        notes.removeAll { $0.time <= readyTime }
        told = max(told, readyTime)
        lastStart -= ready
        ready = 0
        readyLast = 0
    }

    /// The cursor died: what is not complete will be sent again.
    mutating func restart() {
        precondition(!isInParts, "parts that were handed on cannot be taken back")
        guard isHolding else { return }
        if bytes.count - ready > expected.count { expected = Array(bytes[ready...]) }
        bytes.removeLast(bytes.count - ready)
        notes.removeAll { $0.time > readyTime }
        isContinued = false
        // Anything behind what was handed on may come.
        time = max(readyTime, told)
    }
}
