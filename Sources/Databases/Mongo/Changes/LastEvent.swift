/// The archive's last event, as much of it as it takes to know it again.
struct LastEvent: Hashable, Sendable {
    let token: BSONDocument
    let time: OpTime
    /// What it was about: servers of another version may give the same event another token. nil
    /// where it is not known.
    let key: BSONDocument?

    static let keyFields = ["operationType", "ns", "documentKey"]

    /// - Parameter previous: the time of what came before, which a later part of an event shares.
    /// - Returns: nil where the event does not say its time, so that it cannot be looked for.
    init?(_ event: BSONDocument, previous: OpTime? = nil) {
        guard let token = event["_id"]?.document,
            let time = event["clusterTime"]?.timestamp ?? ResumeToken.time(token) ?? previous,
            time > .zero
        else { return nil }
        self.token = token
        self.time = time
        key = Self.key(event)
    }

    /// What a mark says of it.
    init?(mark: BSONDocument) {
        guard let token = mark[ProgressMark.eventField]?.document,
            let time = ResumeToken.time(token) ?? mark[ProgressMark.eventTimeField]?.timestamp,
            time > .zero
        else { return nil }
        self.token = token
        self.time = time
        key = mark[ProgressMark.eventKeyField]?.document
    }

    /// Whether that event of the same time is this one.
    func isSame(as event: BSONDocument) -> Bool {
        event["_id"]?.document == token || (key != nil && Self.key(event) == key)
    }

    private static func key(_ event: BSONDocument) -> BSONDocument? {
        // A part of an event that was split does not have everything: there the token has to do.
        guard event["operationType"] != nil, event["splitEvent"] == nil else { return nil }
        return BSONDocument(
            keyFields.compactMap { name in event[name].map { (name, $0) } })
    }
}

/// What the archive of a change stream ends with.
struct ChangeTail: Hashable, Sendable {
    /// nil when none has come yet.
    private(set) var event: LastEvent?
    /// Of the last document, be it an event or a mark.
    private(set) var token: BSONDocument?
    /// Of the last document.
    private var time: OpTime?
    /// The newest of what came before.
    private(set) var recent = RecentEvents()

    /// The next document of the archive.
    ///
    /// - Parameter previous: the time that an event which tells none shares; nil for the one of the
    ///   event before.
    mutating func take(_ document: BSONDocument, previous: OpTime? = nil) {
        token = document["_id"]?.document
        time = document["clusterTime"]?.timestamp ?? previous ?? time
        if document["operationType"]?.string != ProgressMark.operation {
            event = LastEvent(document, previous: previous ?? event?.time)
        } else if let told = LastEvent(mark: document) {
            event = told
        }
    }

    /// Whole documents that are archived, to be compared with what comes once more.
    mutating func keep(_ documents: ArraySlice<UInt8>) { recent.keep(documents) }

    /// The archive ends there. Where a gap lies between, the server need not have what comes behind
    /// the last document.
    mutating func end(at end: OpTime) {
        if time != end { token = nil }
    }
}

/// Looks through a change stream that begins with the time of the archive's last event. Pure.
///
/// It cannot be left to the server to say whether it has that event: it looks when the first event
/// behind it is there, and until then answers as if all were well
/// (`ensure_resume_token_present.cpp`).
struct LastEventSearch: Hashable, Sendable {
    private let event: LastEvent
    /// Whether it is there; nil as long as that is open.
    private(set) var isThere: Bool?

    init(_ event: LastEvent) { self.event = event }

    /// - Parameter time: of `found`.
    mutating func take(_ found: BSONDocument, at time: OpTime) {
        guard isThere == nil else { return }
        if time > event.time {
            isThere = false
        } else if time == event.time, event.isSame(as: found) {
            isThere = true
        }
    }

    /// The server had no more to tell.
    ///
    /// - Parameters:
    ///   - reached: the time of the token behind its answer.
    ///   - majority: what a majority had before it was asked; nil where that is not known.
    mutating func nothingCame(reached: OpTime?, majority: OpTime?) {
        guard isThere == nil else { return }
        // A token that is no event's stands before the events of its time.
        let isPast = reached.map { $0 > event.time } ?? false
        if isPast || majority.map({ $0 >= event.time }) ?? false { isThere = false }
    }
}
