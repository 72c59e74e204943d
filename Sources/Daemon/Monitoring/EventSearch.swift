import Catalog
import Model
import Recovery
import Repository

/// The search of one source for destructive events; used by one thread.
struct EventSearch {
    let source: SourceID
    private let repository: ArchiveRepository

    private var record: EventRecord?
    /// Whether `record` is what the archive has, and since when.
    private var isSaved = true
    private var savedAt: MonotonicTime?
    /// What the open segments hold, by key, with the end that was read.
    private var open: [ObjectKey: (end: UInt64, events: [DestructiveEvent])] = [:]
    /// Damaged segments: `verify` tells of them, here they are passed over.
    private var unreadable: Set<ObjectKey> = []
    /// What the catalog looked like when nothing was left to do; most looks end here.
    private var finished: Look?
    /// Not asked again before.
    private var pausedUntil: MonotonicTime?
    private var message = ""
    /// Whether another step would find work at once.
    private(set) var hasMore = false

    /// Seconds between two writings, and after a failure.
    private static let saveSeconds = 60.0
    private static let retrySeconds = 30.0

    init(_ source: SourceID, _ repository: ArchiveRepository) {
        self.source = source
        self.repository = repository
    }

    /// As much of a snapshot as tells whether another one has news.
    private struct Look: Hashable {
        var counts: [TimelineID: Int]
        var newest: [TimelineID: ObjectKey]
        var ends: [ObjectKey: UInt64]

        init(_ snapshot: CatalogSnapshot) {
            counts = snapshot.segments.mapValues(\.count)
            newest = snapshot.segments.compactMapValues { $0.last?.key }
            ends = snapshot.openEnds
        }
    }

    /// Reads at most one segment. Returns what is known now; nil when nothing is news.
    mutating func step(
        _ snapshot: CatalogSnapshot, isOurs: Bool, now: MonotonicTime
    ) throws(TidemarkError) -> EventWatch.Found? {
        hasMore = false
        if let pausedUntil, now < pausedUntil { return nil }
        let replayer = try Rooms.replayer(snapshot.descriptor.kind)
        guard replayer.events(of: snapshot.descriptor, on: TimelineID("")) != nil else {
            return nil
        }
        guard isOurs else { return try follow(snapshot, now) }
        let look = Look(snapshot)
        if finished == look { return nil }
        let isNews = record == nil
        if isNews { record = try repository.events(source) }
        let finder = EventFinder(repository, replayer)
        if let segment = next(snapshot) {
            hasMore = true
            try search(segment, snapshot, finder)
        } else {
            finished = look
        }
        open = open.filter { key, _ in
            snapshot.segments.values.contains { $0.contains { $0.key == key } }
        }
        if !isSaved, !hasMore || now.seconds(since: savedAt ?? now) >= Self.saveSeconds {
            try save()
            savedAt = now
        }
        return hasMore || isNews ? shown(snapshot) : nil
    }

    private mutating func search(
        _ segment: SegmentListing, _ snapshot: CatalogSnapshot, _ finder: EventFinder
    ) throws(TidemarkError) {
        do throws(TidemarkError) {
            let lead = snapshot.segments[segment.range.timeline]?.last {
                $0.state == .sealed && $0.range.last == segment.range.first
            }
            let events =
                try finder.events(in: segment, after: lead, of: snapshot.descriptor) ?? []
            if segment.state == .sealed {
                record?.add(segment.range, events)
                isSaved = false
            } else {
                open[segment.key] = (snapshot.contentEnd(segment), events)
            }
        } catch let error where error.code == .notFound {
            // Sealed or expired since the catalog was read: the next look shows what is there.
            open[segment.key] = (snapshot.contentEnd(segment), open[segment.key]?.events ?? [])
            if segment.state == .sealed { record?.add(segment.range, []) }
        } catch let error where error.code == .archiveDamaged {
            unreadable.insert(segment.key)
        }
    }

    /// What the process that archives the source has written down.
    private mutating func follow(
        _ snapshot: CatalogSnapshot, _ now: MonotonicTime
    ) throws(TidemarkError) -> EventWatch.Found? {
        if let savedAt, now.seconds(since: savedAt) < Self.saveSeconds { return nil }
        record = try repository.events(source)
        savedAt = now
        open = [:]
        defer { record = nil }
        return shown(snapshot)
    }

    /// Writes what the archive does not have.
    mutating func save() throws(TidemarkError) {
        guard !isSaved, let record else { return }
        try repository.putEvents(source, record)
        isSaved = true
    }

    /// The open segments that have grown, then the sealed ones, the newest first.
    private func next(_ snapshot: CatalogSnapshot) -> SegmentListing? {
        let known = record ?? EventRecord()
        let all = snapshot.segments.sorted { $0.key < $1.key }.flatMap(\.value).filter {
            !unreadable.contains($0.key)
        }
        return all.last {
            $0.state == .open && open[$0.key]?.end != snapshot.contentEnd($0)
        } ?? all.last { $0.state == .sealed && !known.isSearched($0.range) }
    }

    private func shown(_ snapshot: CatalogSnapshot) -> EventWatch.Found {
        let known = record ?? EventRecord()
        let events = Set(known.events).union(open.values.flatMap(\.events))
        return EventWatch.Found(
            events: EventRecord.newest(Array(events)),
            isComplete: unreadable.isEmpty && next(snapshot) == nil)
    }

    /// Whether this is another failure than the last one; nothing is tried again for a while.
    mutating func failed(_ error: TidemarkError, now: MonotonicTime) -> Bool {
        pausedUntil = now.advanced(bySeconds: Self.retrySeconds)
        defer { message = error.message }
        return error.message != message
    }

    mutating func succeeded() { message = "" }
}
