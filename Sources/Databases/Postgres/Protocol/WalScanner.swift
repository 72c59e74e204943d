package import Model
import Platform

/// Reads WAL as a stream of bytes while it passes, finds commits, aborts and restore points, and
/// checks that the stream is what it claims to be.
///
/// WAL is a sequence of 8 KiB pages, each with a header; the space between headers is one sequence
/// of records, each starting on a multiple of eight. A record that does not fit goes on behind the
/// next page's header, which says how much of it is still to come. The first page of a segment has
/// a longer header with the identity of the cluster. (src/backend/access/transam/README and
/// xlogreader.c, whose checks are repeated here.)
///
/// Checked: page magic, constant and of a known version; page address; timeline of each page, in
/// the history and never going back; system identifier, segment size and page size in long headers;
/// record length, resource manager and the link to the record before; the CRC of the records that
/// are interpreted, or of all. A breach throws `archiveDamaged` naming the LSN, what was expected
/// and what was found; the scanner is then of no more use.
///
/// Input may be cut anywhere. Memory is constant; no record allocates, except for the name of a
/// restore point. Records of no interest are stepped over by their length.
package struct WalScanner: Sendable {
    /// Which records' checksums are computed.
    package enum Checks: Sendable {
        /// Commits, aborts and restore points: all that is interpreted.
        case interpretedRecords
        case everyRecord
    }

    /// What to make of input that is longer than its WAL.
    package enum Tail: Sendable {
        /// Every byte is WAL, as when it comes from a server: zeros and old pages are damage.
        case isDamage
        /// Unwritten space may follow (a preallocated or reused file): stop there, see `end`.
        case mayFollow
    }

    // What was asked for.
    let scanStart: UInt64
    let segmentBytes: UInt64
    let systemIdentifier: UInt64?
    var timeline: UInt32?
    let history: TimelineHistory?
    var checks: Checks
    let tail: Tail

    /// The next byte that `feed` takes.
    package internal(set) var position: UInt64
    /// Set once the input turned out to be longer than its WAL; what follows is ignored.
    package internal(set) var end: WalEnd?

    // What the pages have told so far.
    var magic: UInt16 = 0
    var version = WalVersion.v13
    var pageTimeline: UInt32 = 0

    // The two records completed last; 0 before the first.
    var last = WalRecordPlace.none
    var beforeLast = WalRecordPlace.none

    // The record at hand.
    var step = Step.atRecord
    var recordStart: UInt64 = 0
    /// Bytes of it that have been consumed, and its length once known.
    var consumed: UInt64 = 0
    var length: UInt64 = 0
    var header = WalRecordHeader()
    var checksum = CRC32C()
    var parser = StopRecordParser()
    /// The record's header as it comes in, in words of the server's byte order.
    var headerWords = InlineArray<3, UInt64>(repeating: 0)
    var pageBuffer = InlineArray<40, UInt8>(repeating: 0)
    /// The record that began before the scan looks like a segment switch.
    var restIsSwitch = false

    /// Where the scanner stands between two bytes.
    enum Step: Sendable {
        /// Between records; page headers may come.
        case atRecord
        /// Inside the 24 bytes of a record's header.
        case inHeader
        /// Inside a record that is stepped over, or its padding.
        case skipping
        /// Inside a record whose bytes are looked at, or its padding.
        case reading
        /// Behind a segment switch: nothing until the next segment.
        case switched
        /// Behind the end of the WAL.
        case ended
    }

    /// - Parameters:
    ///   - start: A page's start, or the start of a record. On a page's start the rest of a record
    ///     that began earlier is passed over.
    ///   - systemIdentifier: Checked in each segment's first page when given.
    ///   - timeline: No page may be of a later one.
    ///   - history: When given, no page may be of a timeline outside it.
    package init(
        startAt start: UInt64, segmentBytes: UInt64, systemIdentifier: UInt64? = nil,
        timeline: UInt32? = nil, history: TimelineHistory? = nil,
        checks: Checks = .interpretedRecords, tail: Tail = .isDamage
    ) throws(TidemarkError) {
        let page = start % WalPageHeader.pageBytes
        guard WalSegmentSize(bytes: segmentBytes) != nil else {
            throw TidemarkError(.failed, "\(segmentBytes) bytes is not a WAL segment size")
        }
        let headerBytes = Self.pageHeaderBytes(at: start - page, segmentBytes: segmentBytes)
        guard start % 8 == 0, page == 0 || page >= UInt64(headerBytes) else {
            throw TidemarkError(
                .failed, "no WAL record can start at \(LSN.text(start))",
                remedy: "start at a segment's first byte")
        }
        scanStart = start
        position = start
        self.segmentBytes = segmentBytes
        self.systemIdentifier = systemIdentifier
        self.timeline = timeline ?? history?.timeline
        self.history = history
        self.checks = checks
        self.tail = tail
    }

    /// Start of the last record that has been seen to its end; nil before the first.
    package var lastRecordStart: UInt64? { last.start == 0 ? nil : last.start }

    /// End of that record as Postgres counts it: rounded up to eight, and for a segment switch the
    /// end of the segment. The next record starts there, or behind the page header that starts
    /// there.
    package var lastRecordEnd: UInt64? { last.start == 0 ? nil : last.end }

    /// Start of the record whose end has not come yet; nil between records, and when it began
    /// before the scan.
    package var openRecordStart: UInt64? {
        switch step {
        case .inHeader, .skipping, .reading: recordStart == 0 ? nil : recordStart
        case .atRecord, .switched, .ended: nil
        }
    }

    /// Whether it has seen what the next record must name or complete.
    var knowsRecord: Bool { lastRecordStart != nil || openRecordStart != nil }

    /// The major version that wrote this WAL; nil before the first page header.
    package var majorVersion: Int? { magic == 0 ? nil : version.rawValue }

    /// The scan goes on with the copy of this place that a timeline which left here begins with.
    func continued(on timeline: UInt32) -> WalScanner {
        var scanner = self
        scanner.timeline = timeline
        return scanner
    }

    /// Takes the bytes at `position` and hands each commit, abort and restore point that ends in
    /// them to `found`, in order.
    package mutating func feed(
        _ bytes: RawSpan, at first: UInt64,
        _ found: (HistoryEntry) throws(TidemarkError) -> Void
    ) throws(TidemarkError) {
        _ = try scan(bytes, at: first, beyond: .max) {
            (entry: HistoryEntry) throws(TidemarkError) -> Bool in
            try found(entry)
            return false
        }
    }
}

/// Where a record lies: its first byte, and the end as Postgres counts it.
struct WalRecordPlace: Hashable, Sendable {
    static let none = WalRecordPlace(start: 0, end: 0)
    var start: UInt64
    var end: UInt64
}
