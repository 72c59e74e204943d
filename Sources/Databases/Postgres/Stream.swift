import Model
import Platform

/// The WAL stream of one server: performs what `StreamMachine` and `StreamProgress` decide.
///
/// Owned by one thread; only `wake` may be called from others.
final class Stream: ChangeSource {
    let configuration: PostgresConfiguration
    let time: any TimeSource
    let signal: Result<WakeSignal, TidemarkError>

    var connection: Connection?
    var machine: StreamMachine
    var progress: StreamProgress
    /// Nil when the server is newer than what the scanner can read.
    var scanner: WalScanner?
    /// The scanner where the newest segment begins, for a timeline that takes over from there.
    var edge: WalScanner?
    /// The record that the stream's first one has to name, as long as it has not.
    var joint: Joint?
    /// The message that showed that the stream runs; handed on by the first `pull`.
    var held: [UInt8]?
    private var status: [UInt8] = []

    /// Bytes after which a `pull` returns although more is waiting, so that the caller can flush.
    private static let pullBytes = 1 << 20

    init(_ configuration: PostgresConfiguration, time: any TimeSource) {
        self.configuration = configuration
        self.time = time
        do throws(TidemarkError) {
            signal = .success(try WakeSignal())
        } catch {
            signal = .failure(error)
        }
        machine = StreamMachine(
            ResumePoint(descriptor: nil, end: nil),
            configuration.context(.replication, place: configuration.place),
            source: configuration.source)
        progress = StreamProgress(
            start: 0, now: time.monotonic(), statusSeconds: configuration.statusSeconds,
            silenceSeconds: configuration.silenceSeconds)
    }

    func wake() {
        if case .success(let signal) = signal { signal.raise() }
    }

    func close() {
        connection = nil
        held = nil
        scanner = nil
        edge = nil
        joint = nil
    }

    /// Where the scanner stood at the stream's start, having read what comes before it.
    struct Joint {
        var lastRecordStart: UInt64?
    }
}

// MARK: streaming

extension Stream {
    func pull(
        until deadline: MonotonicTime, into sink: any ChangeSink
    ) throws(TidemarkError) -> StreamTurn {
        guard connection != nil else {
            throw TidemarkError(
                .sourceUnreachable, "the stream of \(configuration.source) is closed")
        }
        do throws(TidemarkError) {
            return try pulled(deadline, sink)
        } catch {
            close()
            throw error
        }
    }

    private func pulled(
        _ deadline: MonotonicTime, _ sink: any ChangeSink
    ) throws(TidemarkError) -> StreamTurn {
        try attachDocuments(sink)
        switch machine.step {
        case .streaming: break
        case .start:
            if let turn = try startNext(sink) { return turn }
        case .ended: throw shutDown()
        default: preconditionFailure("a pull in step \(machine.step)")
        }
        let before = progress.received
        if let message = held {
            held = nil
            // The answer to what asked for the start: nothing is asked any more.
            progress.heard(time.monotonic())
            try take(unsafe message.span.bytes, sink)
        }
        return try take(until: deadline, from: before, sink)
    }

    /// Takes messages until there is a reason to return.
    private func take(
        until deadline: MonotonicTime, from before: UInt64, _ sink: any ChangeSink
    ) throws(TidemarkError) -> StreamTurn {
        while true {
            // Read before the socket is: whatever holds us up in between, a server is given up
            // only after one more look.
            let now = time.monotonic()
            if progress.isReplyWanted { return .replyRequested }
            if progress.received - before >= Self.pullBytes { return .received }
            let hasNews = progress.received > before
            // With all that the server had when it sent this, a commit may be waiting: it is not
            // for us to look for more. In the middle of a bulk the next bytes are on their way.
            let isDrained = hasNews && progress.isCaughtUp
            let taken = try connection!.takeCopy(readsSocket: !isDrained) {
                (bytes) throws(TidemarkError) in try take(bytes, sink)
            }
            if taken == .message {
                progress.heard(now)
                continue
            }
            if taken == .ended { return try ended(sink) }
            if isDrained { return .drained }
            let waited = try waitForMore(deadline, now)
            if waited == .ready { progress.heard(time.monotonic()) }
            if waited != .ready, waited == .woken || time.monotonic() >= deadline {
                return hasNews ? .received : .idle
            }
        }
    }

    /// Waits for bytes, at most until the deadline; keeps the conversation alive meanwhile.
    private func waitForMore(
        _ deadline: MonotonicTime, _ now: MonotonicTime
    ) throws(TidemarkError) -> SocketWait {
        if progress.isStatusDue(now) { try sendStatus(asks: false) }
        switch progress.silence(now) {
        case .fine(let seconds):
            return try connection!.wait(seconds: min(seconds, deadline.seconds(since: now)))
        case .ask:
            try sendStatus(asks: true)
            return .timeout
        case .gone:
            throw TidemarkError(
                .sourceUnreachable,
                "Postgres at \(machine.context.place) has said nothing for "
                    + "\(configuration.silenceSeconds) s, though asked",
                remedy: "see whether the server hangs or the network is cut")
        }
    }

    /// One message; its bytes are lent for the call.
    private func take(_ message: RawSpan, _ sink: any ChangeSink) throws(TidemarkError) {
        guard message.byteCount > 0 else { throw malformedMessage("empty stream", message) }
        switch message.byte(0) {
        case XLogData.tag:
            let data = try XLogData(message)
            let bytes = message.extracting(droppingFirst: XLogData.headerBytes)
            try progress.took(data, bytes: bytes.byteCount)
            try sink.append(bytes, at: data.start)
            try scan(bytes, at: data.start, sink)
        case Keepalive.tag: progress.took(try Keepalive(message))
        default: throw malformedMessage("stream", message)
        }
    }

    private func scan(
        _ bytes: RawSpan, at first: UInt64, _ sink: any ChangeSink
    ) throws(TidemarkError) {
        // Not compared with nil, which would copy it.
        if case .none = scanner { return }
        let next = machine.size.start(of: first) + machine.size.bytes
        let part = Int(min(UInt64(bytes.byteCount), next - first))
        try feed(bytes.extracting(0..<part), at: first, sink)
        guard first + UInt64(part) == next else { return }
        edge = scanner
        if part < bytes.byteCount { try scan(bytes.extracting(part...), at: next, sink) }
    }

    private func feed(
        _ bytes: RawSpan, at first: UInt64, _ sink: any ChangeSink
    ) throws(TidemarkError) {
        var failure: TidemarkError?
        do throws(TidemarkError) {
            try scanner?.feed(bytes, at: first) { (entry) throws(TidemarkError) in
                do throws(TidemarkError) { try sink.note(entry) } catch {
                    failure = error
                    throw error
                }
            }
        } catch {
            // The sink's own failure passes as it is; damage in the stream is a matter of the
            // source.
            if let failure { throw failure }
            if let joint, scanner?.lastRecordStart == joint.lastRecordStart {
                throw stranger(first, error)
            }
            throw TidemarkError(
                .sourceUnreachable,
                "Postgres at \(machine.context.place) sent WAL that does not hold together",
                remedy: "check the server's disk and memory, and the network between", cause: error)
        }
        if let joint, scanner?.lastRecordStart != joint.lastRecordStart {
            self.joint = nil
            scanner?.checks = .interpretedRecords
        }
    }

    private func stranger(_ place: UInt64, _ cause: TidemarkError) -> TidemarkError {
        TidemarkError(
            .contentConflict,
            "Postgres at \(machine.context.place) goes on at \(LSN.text(place)) on timeline "
                + "\(machine.timeline), but not from where the archive of \(configuration.source) "
                + "ends: it came there another way",
            remedy: "if it was rolled back to a copy, restart it in recovery and promote it, so "
                + "that it begins a new timeline; or archive it under a new source name",
            cause: cause)
    }

    func acknowledge(received: UInt64, durable: UInt64) throws(TidemarkError) {
        guard connection != nil, machine.step == .streaming else { return }
        let hasNews = progress.confirm(durable)
        guard hasNews || progress.isStatusDue(time.monotonic()) else { return }
        do throws(TidemarkError) {
            try sendStatus(asks: false)
        } catch {
            close()
            throw error
        }
    }

    func sendStatus(asks: Bool) throws(TidemarkError) {
        status.removeAll(keepingCapacity: true)
        progress.status(time.monotonic(), wall: time.wall(), asks: asks).encode(into: &status)
        try connection!.putCopy(status)
    }
}
