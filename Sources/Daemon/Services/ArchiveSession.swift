import Logging
import Model
import Monitoring
import Platform
import Repository
import Segments
import Synchronization

/// One connection's worth of archiving: opens the stream where the archive ends, and follows it.
struct ArchiveSession {
    /// How a session ended in good order.
    enum Ending: Sendable {
        /// The source shut down, or the work is to stop.
        case over
        /// A hole in the archive is filled up to here; what follows was archived before.
        case filled(Position)
    }

    private let archiver: Archiver
    private let stream: any ChangeSource
    private let writer: SegmentWriter
    /// What the stream pulls into: the writer, up to where the archive goes on by itself.
    private let sink: any ChangeSink
    /// End of the hole that is being filled.
    private var limit: UInt64?
    private let style: any PositionStyle
    private var timeline: TimelineID
    /// Where the timeline begins, as far as this session is concerned; nil once the archive says
    /// that the source is on it.
    private var entry: Position?
    private var policy: FlushPolicy
    /// Everything below it is durable, as far as was asked.
    private var durable: UInt64

    /// Connects, records a gap that was found, and takes up the open segment.
    ///
    /// - Parameters:
    ///   - lost: why the source no longer has the history behind the archive's end; nil when it
    ///     has.
    ///   - filled: where the session before has filled a hole.
    init(
        _ archiver: Archiver, _ stream: any ChangeSource, lost: String?, filled: Position?
    ) throws(TidemarkError) {
        self.archiver = archiver
        self.stream = stream
        let known = try archiver.repository.descriptor(archiver.room.source)
        let archive = try ArchiveEnd(
            known, archiver.repository, archiver.room, lost: lost != nil, filled: filled)
        var resume = archive.resume
        let repository = archiver.repository
        if known == nil {
            resume.claim = { (descriptor) throws(TidemarkError) in
                try repository.putDescriptor(descriptor)
            }
        }
        let opening = try stream.open(resume)
        if known == nil, try repository.descriptor(archiver.room.source) == nil {
            try repository.putDescriptor(opening.descriptor)
        }
        style = archiver.room.style(segmentBytes: opening.descriptor.segmentBytes)
        timeline = opening.start.timeline
        entry = opening.start
        policy = FlushPolicy(interval: archiver.options.flushInterval)
        durable = opening.start.ordinal
        if let lost {
            let ranges = archive.lost(to: opening.start)
            // With history behind the first stretch the proof may speak of that.
            var proved =
                ranges.count == 1 && archive.hole == nil
                ? archiver.board.proof(
                    before: ranges[0], segmentBytes: opening.descriptor.segmentBytes) : nil
            if let whole = opening.wholeUntil { proved = min(proved ?? whole, whole) }
            for range in ranges {
                try archiver.recordGap(
                    range, next: opening.start.timeline, style, lost, proved: proved)
            }
        }
        writer = try Self.writer(archiver, opening, stream, style)
        if let hole = archive.hole, hole.timeline == opening.start.timeline,
            opening.start.ordinal <= hole.first
        {
            limit = hole.last
            sink = LimitedSink(writer, below: hole.last)
            archiver.fills(hole, style)
        } else {
            sink =
                archiver.board.countsBytes
                ? writer : EntryCounter(writer, archiver.board.counters)
        }
        do {
            let archived = try writer.begin(opening)
            archiver.opened(opening, archived: archived, style)
            archiver.passes(over: stream.passedOver)
        } catch {
            writer.close()
            throw error
        }
        // Until it is filled, what was archived behind it proves nothing.
        if limit != nil { report(archiver.time.monotonic()) }
    }

    private static func writer(
        _ archiver: Archiver, _ opening: StreamOpening, _ stream: any ChangeSource,
        _ style: any PositionStyle
    ) throws(TidemarkError) -> SegmentWriter {
        let waker = StreamWaker(stream)
        let source = archiver.room.source
        let log = archiver.log
        var options = SegmentWriterOptions(
            rotation: archiver.options.rotation(opening.descriptor))
        options.compression = archiver.options.compression
        options.flushInterval = archiver.options.flushInterval
        options.wake = { waker.wake() }
        let counters = archiver.board.counters
        options.acknowledged = archiver.board.acknowledged
        let board = archiver.board
        options.late = { board.cameLate($0.time) }
        options.damaged = { archiver.damaged($0, style) }
        options.sealed = { segment, stored in
            counters.sealed(stored: stored)
            log.debug(
                "segment sealed",
                metadata: [
                    "segment.first": "\(style.text(segment.first))", "bytes": "\(stored)",
                ])
        }
        return try SegmentWriter(
            source: source, kind: archiver.room.kind, style: style,
            store: archiver.repository.store, options: options, time: archiver.time,
            key: { Layout.segment(source, style, $0) },
            attachKey: { Layout.document(source, style, $0, $1) })
    }

    /// Archives until the stop signal, the end of the stream or that of a hole; everything received
    /// is durable then.
    mutating func follow() throws(TidemarkError) -> Ending {
        defer { writer.close() }
        while !archiver.stop.isRaised {
            guard try goOn() else { return .over }
            guard let limit, writer.received >= limit else { continue }
            try flush()
            report(archiver.time.monotonic())
            try writer.settle()
            return .filled(Position(timeline: timeline, ordinal: limit))
        }
        // A timeline whose stream has brought nothing, not even where it comes from, is not named.
        if entry == nil || hasUnflushed {
            try flush()
            report(archiver.time.monotonic())
        }
        try writer.settle()
        return .over
    }

    /// A turn; when the source says that history is lost, what has come is made durable first: the
    /// source may not have it any more.
    private mutating func goOn() throws(TidemarkError) -> Bool {
        do throws(TidemarkError) {
            return try turn()
        } catch {
            if error.code == .historyLost, hasUnflushed { try flush() }
            throw error
        }
    }

    /// One pull and what it asks for; false when the stream has ended in good order.
    private mutating func turn() throws(TidemarkError) -> Bool {
        let deadline = policy.deadline(
            hasUnflushed: hasUnflushed, now: archiver.time.monotonic())
        let turn = try stream.pull(until: deadline, into: sink)
        archiver.passes(over: stream.passedOver)
        switch turn {
        case .received:
            try advance(.bulk)
        case .idle, .drained:
            try advance(.quiet)
        case .replyRequested:
            try flush()
        case .timelineEnded(let next):
            try flush()
            try writer.endTimeline(next: next)
            timeline = next.timeline
            entry = next
            // Where the hole went on, on the next timeline, the next session finds out.
            if limit != nil { limit = writer.received }
            archiver.switched(to: next, style)
        case .finished:
            try flush()
            report(archiver.time.monotonic())
            archiver.log.info("the source shut down in good order")
            return false
        }
        return true
    }

    private var hasUnflushed: Bool { writer.received > durable }

    /// Flushes when it is time; else tells what is durable.
    private mutating func advance(_ moment: FlushPolicy.Moment) throws(TidemarkError) {
        let now = archiver.time.monotonic()
        let isDue = policy.isFlushDue(
            moment, received: hasUnflushed ? writer.received : nil,
            isOverdue: writer.shouldFlush(now),
            isWaitedFor: archiver.board.isWaitedFor.load(ordering: .relaxed), now: now)
        if isDue { try flush() } else { try acknowledge(writer.poll(), now) }
    }

    /// Everything received is durable and acknowledged on return.
    private mutating func flush() throws(TidemarkError) {
        let began = archiver.time.monotonic()
        let end = try flushed(began)
        let now = archiver.time.monotonic()
        // First of all: a commit may be waiting for this.
        try confirm(end)
        writer.hashFlushed()
        archiver.board.counters.flushed(seconds: now.seconds(since: began))
        policy.flushed(now)
        if policy.isReportDue(now) { report(now) }
    }

    private func flushed(_ began: MonotonicTime) throws(TidemarkError) -> UInt64 {
        archiver.board.flushing.begin(began)
        defer { archiver.board.flushing.end() }
        return try writer.flush()
    }

    private mutating func acknowledge(
        _ end: UInt64, _ now: MonotonicTime
    ) throws(TidemarkError) {
        try confirm(end)
        if policy.isReportDue(now) { report(now) }
    }

    private mutating func confirm(_ end: UInt64) throws(TidemarkError) {
        if let entry {
            // What says where it comes from is archived by now: the first pull has done that.
            try archiver.marks.announce(entry)
            self.entry = nil
        }
        durable = end
        try stream.acknowledge(received: writer.received, durable: end)
    }

    private func report(_ now: MonotonicTime) {
        archiver.board.progressed(
            received: writer.received, archived: Position(timeline: timeline, ordinal: durable),
            now: now)
    }
}
