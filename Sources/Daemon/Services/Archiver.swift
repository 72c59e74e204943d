package import Logging
package import Model
import Monitoring
package import Platform
package import Repository
package import Segments

/// The stream thread of one source: pull, make durable, acknowledge, for ever.
///
/// One thread does all three, because a hop to another thread costs a synchronous standby a fifth
/// of its transactions. Failures are retried with bounded, jittered waits for as long as the
/// program runs; lost history becomes a gap record and a request for a base backup.
package final class Archiver: Sendable {
    /// What an archiver needs besides its room.
    package struct Options: Sendable {
        package var compression: Compression
        /// Seconds a received byte may wait before it is durable.
        package var flushInterval: Double
        /// Seconds after which an open segment is sealed where the database has no boundary of its
        /// own.
        package var segmentAge: Double

        package init(compression: Compression, flushInterval: Double, segmentAge: Double) {
            self.compression = compression
            self.flushInterval = flushInterval
            self.segmentAge = segmentAge
        }

        /// Postgres cuts at its own boundaries; the others by size and age.
        func rotation(_ descriptor: SourceDescriptor) -> RotationRule {
            switch descriptor.kind {
            case .postgres: .aligned(bytes: descriptor.segmentBytes)
            case .mongodb, .redis: .size(bytes: descriptor.segmentBytes, age: segmentAge)
            }
        }
    }

    let room: any DatabaseRoom
    let repository: ArchiveRepository
    let board: SourceBoard
    let marks: WatermarkWriter
    let stop: StopSignal
    let options: Options
    let time: any TimeSource
    let log: Logger
    private let passed = Monitor(PassedMembers())

    package init(
        room: any DatabaseRoom, repository: ArchiveRepository, marks: WatermarkWriter,
        stop: StopSignal, options: Options, time: any TimeSource, log: Logger
    ) {
        self.room = room
        self.repository = repository
        self.marks = marks
        board = marks.board
        self.stop = stop
        self.options = options
        self.time = time
        self.log = log
    }

    /// Blocks until the stop signal.
    package func run() {
        let stream = room.stream()
        let waker = StreamWaker(stream)
        stop.onRaise { waker.wake() }
        var retry = Retry()
        while !stop.isRaised {
            var opened: MonotonicTime?
            do throws(TidemarkError) {
                var session = try ArchiveSession(
                    self, stream, lost: retry.lost, filled: retry.filled)
                opened = time.monotonic()
                retry.lost = nil
                retry.filled = nil
                let ending = try session.follow()
                retry = Retry()
                switch ending {
                case .over: board.disconnected("the source shut down")
                case .filled(let position): retry.filled = position
                }
            } catch {
                // With a full disk every session opens, and fails at its first new byte.
                if let opened, time.monotonic().seconds(since: opened) > Retry.soundSeconds {
                    retry = Retry()
                }
                failed(error, &retry)
            }
            stream.close()
            if !stop.isRaised { stop.wait(seconds: retry.seconds()) }
        }
    }

    /// What the next attempt needs to know of the last ones.
    private struct Retry {
        /// A session that lasted this long was a success; what ends it is news.
        static let soundSeconds = 10.0

        /// Why history was lost; nil while none is.
        var lost: String?
        /// Where a hole was filled.
        var filled: Position?
        private var backoff = Backoff(first: 0.1, limit: 15)
        private var random = SystemRandomNumberGenerator()
        /// The message that was logged last; the same one again is not news.
        var message = ""

        mutating func seconds() -> Double {
            lost != nil ? 0.1 : backoff.next(using: &random)
        }
    }

    private func failed(_ error: TidemarkError, _ retry: inout Retry) {
        if error.code == .historyLost, retry.lost == nil {
            log.error("history was lost: \(error)")
            retry.lost = error.message
            retry.filled = nil
            return
        }
        board.disconnected("\(error)", error)
        guard error.message != retry.message else { return }
        retry.message = error.message
        log.error(
            "the stream failed: \(error)", metadata: ["place": "\(error.place)"])
    }
}

// MARK: what a session tells

extension Archiver {
    func opened(_ opening: StreamOpening, archived: UInt64, _ style: any PositionStyle) {
        log.info(
            "stream opened",
            metadata: [
                "timeline": "\(opening.start.timeline)",
                "start": "\(style.text(opening.start.ordinal))",
                "archived": "\(style.text(archived))",
                "source.end": "\(style.text(opening.sourceEnd))",
            ])
        board.connected(identity: opening.descriptor.identity, now: time.monotonic())
    }

    /// Members that could be read, and are not.
    func passes(over members: [PassedMember]) {
        guard let change = passed.update({ $0.change(to: members) }) else { return }
        for one in change.begun {
            log.info(
                "a member is passed over",
                metadata: ["member": "\(one.member)", "reason": "\(one.reason)"])
        }
        for one in change.ended {
            log.info("a member is no longer passed over", metadata: ["member": "\(one.member)"])
        }
    }

    func switched(to next: Position, _ style: any PositionStyle) {
        log.notice(
            "the source switched its timeline",
            metadata: ["timeline": "\(next.timeline)", "start": "\(style.text(next.ordinal))"])
    }

    /// History is missing before the archive's end, and the source is asked for it once more.
    func fills(_ hole: PositionRange, _ style: any PositionStyle) {
        log.notice(
            "a hole in the archive is archived again",
            metadata: [
                "timeline": "\(hole.timeline)", "hole.first": "\(style.text(hole.first))",
                "hole.last": "\(style.text(hole.last))",
            ])
    }

    /// The open segment lost what was acknowledged; the source is asked for it again.
    func damaged(_ found: DamagedSegment, _ style: any PositionStyle) {
        var metadata: Logger.Metadata = [
            "segment": "\(found.key)", "offset": "\(found.offset)",
            "end": "\(style.text(found.end.ordinal))",
        ]
        metadata["acknowledged"] = found.acknowledged.map { "\(style.text($0))" }
        if let copy = found.copy {
            metadata["copy"] = "\(copy)"
            let message =
                "the open segment is damaged: it was copied aside, and the source is asked for the "
                + "rest; look for the cause (disk, cable, memory), then remove the copy"
            log.error("\(message)", metadata: metadata)
        } else if !isExplained(found.end) {
            log.warning(
                "the open segment ends before what was acknowledged; the rest is asked for again",
                metadata: metadata)
        }
    }

    /// Whether a gap record says that nothing follows there.
    private func isExplained(_ end: Position) -> Bool {
        // A record that cannot be read explains nothing; whoever needs it, reports it.
        let gaps = (try? repository.gaps(room.source)) ?? []
        return gaps.contains { $0.timeline == end.timeline && $0.first == end.ordinal }
    }

    /// Writes down that a stretch is lost, and asks for the base backup that mends it.
    ///
    /// - Parameter proved: everything committed by then is archived before it, see
    ///   `SourceBoard.proof(before:segmentBytes:)`.
    func recordGap(
        _ range: PositionRange, next: TimelineID, _ style: any PositionStyle, _ reason: String,
        proved: CommitTime?
    ) throws(TidemarkError) {
        let gap = Gap(
            timeline: range.timeline, first: range.first, last: range.last,
            nextTimeline: next == range.timeline ? nil : next, found: time.wall(),
            reason: reason, restorableTo: proved)
        try repository.putGap(room.source, style, gap)
        log.error(
            "gap in the archive",
            metadata: [
                "gap.first": "\(style.text(gap.first))", "gap.last": "\(style.text(gap.last))",
            ])
        board.counters.foundGap()
        board.monitor.update { state in
            state.backupNeeded = "history was lost"
            state.seen.awaitsBackupAfterGap = true
            state.changes += 1
            // Their bounds may lie in what was lost.
            state.tracker.voidWaiting()
        }
    }
}
