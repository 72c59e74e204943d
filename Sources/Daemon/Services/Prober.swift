package import Logging
package import Model
import Monitoring
package import Platform

/// Once a second: asks the source how far it is, and writes down how far the archive is proved.
///
/// Runs on a thread of its own, so that a source or a repository that hangs delays no other source
/// and never the stream; a second one goes on writing while a source that hangs holds up the first.
package final class Prober: Sendable {
    private let room: any DatabaseRoom
    private let marks: WatermarkWriter
    private let board: SourceBoard
    private let stop: StopSignal
    private let time: any TimeSource
    private let log: Logger

    /// Seconds between two probes.
    private static let interval = 1.0
    /// Every n-th round also asks for the source's headroom.
    private static let windowRounds = 10
    private let isWindowShort = Monitor(false)

    package init(
        room: any DatabaseRoom, marks: WatermarkWriter, stop: StopSignal, time: any TimeSource,
        log: Logger
    ) {
        self.room = room
        self.marks = marks
        board = marks.board
        self.stop = stop
        self.time = time
        self.log = log
    }

    /// Blocks until the stop signal; the last watermark says `stopped`.
    package func run() {
        let inspector = room.inspector()
        defer { inspector.close() }
        var round = 0
        var trouble: String?
        while !stop.isRaised {
            let started = time.monotonic()
            let problem = look(inspector, window: round % Self.windowRounds == 0)
            if problem != trouble {
                if let problem {
                    log.warning("\(problem)")
                } else {
                    log.info("probe answers again")
                }
                trouble = problem
            }
            settle()
            marks.write()
            round += 1
            let spent = time.monotonic().seconds(since: started)
            stop.wait(seconds: max(0.05, Self.interval - spent))
        }
    }

    /// Blocks until the stop signal; writes the watermark while a question to the source has no
    /// answer. Without that a source that hangs would look like a sidecar that has ended.
    package func keepWriting() {
        while !stop.wait(seconds: Self.interval) {
            if board.asking.isOpen(longerThan: Self.interval, time.monotonic()) { marks.write() }
        }
    }

    /// The final watermark, after the stream has ended.
    package func finish() {
        board.stopped("")
        marks.write()
    }

    /// One probe; the problem in words, nil when the source answered.
    private func look(_ inspector: any SourceInspector, window: Bool) -> String? {
        do {
            let asked = time.monotonic()
            board.asking.begin(asked)
            defer { board.asking.end() }
            let before = board.verified
            let probe = try inspector.probe()
            let answered = time.monotonic()
            let slowness = board.answered(
                within: answered.seconds(since: asked), now: answered)
            let doubt = board.probed(probe, before: before, now: answered) ?? slowness
            if window {
                let room = try inspector.sourceWindow()
                board.monitor.update { $0.sourceWindow = room }
                warn(of: room)
            }
            return doubt
        } catch {
            let problem = "cannot read the source's position: \(error.message)"
            if error.code == .sourceRefused, let heartbeat = inspector.heartbeatSeconds {
                board.refused(problem, heartbeat: heartbeat, now: time.monotonic())
            } else {
                board.unanswered(problem)
            }
            return problem
        }
    }

    /// Says once that the source is about to drop history that is not archived, and once that it
    /// is not.
    private func warn(of window: SourceWindow?) {
        guard let window, let share = window.share else { return }
        let wasShort = isWindowShort.read { $0 }
        let isShort = share < (wasShort ? SourceWindow.longShare : SourceWindow.shortShare)
        guard isShort != wasShort else { return }
        isWindowShort.update { $0 = isShort }
        if isShort {
            log.warning("\(window.shortage ?? "")")
        } else {
            log.info("the source's \(window.kind) is long enough again\(window.forecast)")
        }
    }

    /// Gives the stream a moment to fulfil the probe, so that the watermark is as new as can be.
    private func settle() {
        _ = board.monitor.wait(seconds: 0.3) { state in
            state.tracker.nextBound == nil || !state.seen.isConnected ? true : nil
        }
    }
}
