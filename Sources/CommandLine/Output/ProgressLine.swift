import Daemon
import Model
import Platform

/// Shows progress on standard error: redrawn in place on a terminal, one line per ten seconds
/// elsewhere.
final class ProgressLine: ProgressObserver {
    private struct State {
        var meter: ProgressMeter?
        var bytes: UInt64 = 0
    }

    private let time: any TimeSource
    private let isTerminal: Bool
    private let write: @Sendable (String) -> Void
    private let state = Monitor(State())

    init(
        time: any TimeSource = SystemTimeSource(), isTerminal: Bool = Output.isErrorTerminal,
        write: @escaping @Sendable (String) -> Void = Output.draw
    ) {
        self.time = time
        self.isTerminal = isTerminal
        self.write = write
    }

    func began(_ what: String, total: UInt64?) {
        let meter = ProgressMeter(
            what, total: total, isTerminal: isTerminal, now: time.monotonic())
        state.update { $0 = State(meter: meter) }
    }

    func advanced(to bytes: UInt64) {
        state.update { state in
            state.bytes = bytes
            if let line = state.meter?.advance(to: bytes, now: time.monotonic()) { show(line) }
        }
    }

    func ended(isDone: Bool) {
        state.update { state in
            guard let meter = state.meter else { return }
            let line = meter.finish(state.bytes, isDone: isDone, now: time.monotonic())
            show(line, isLast: true)
            state.meter = nil
        }
    }

    /// On a terminal the line is drawn over the one before: return, text, clear to the end.
    private func show(_ line: String, isLast: Bool = false) {
        if isTerminal {
            write("\r\(line.prefix(100))\u{1B}[K" + (isLast ? "\n" : ""))
        } else {
            write(line + "\n")
        }
    }
}
