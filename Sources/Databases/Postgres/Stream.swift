import Model
import Platform

/// The WAL stream of one server: performs what `StreamMachine` and `StreamProgress` decide.
///
/// Owned by one thread; only `wake` may be called from others.
final class Stream: ChangeSource {
    private let configuration: PostgresConfiguration
    private let time: any TimeSource
    private let signal: Result<WakeSignal, TidemarkError>

    private var connection: Connection?
    private var machine: StreamMachine
    private var progress: StreamProgress
    /// Nil when the server is newer than what the scanner can read.
    private var scanner: WalScanner?
    /// The scanner where the newest segment begins, for a timeline that takes over from there.
    private var edge: WalScanner?
    /// The record that the stream's first one has to name, as long as it has not.
    private var joint: Joint?
    /// The message that showed that the stream runs; handed on by the first `pull`.
    private var held: [UInt8]?
    private var status: [UInt8] = []

    /// Bytes after which a `pull` returns although more is waiting, so that the caller can flush.
    private static let pullBytes = 1 << 20
    /// Seconds for the server to show that it accepted the starting point.
    private static let startSeconds = 30.0

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
    private struct Joint {
        var lastRecordStart: UInt64?
    }
}

// MARK: opening

extension Stream {
    func open(_ resume: ResumePoint) throws(TidemarkError) -> StreamOpening {
        close()
        do throws(TidemarkError) {
            let wake = try signal.get()
            wake.clear()
            let fresh = try Connection(configuration, .replication, wake: wake)
            let version = fresh.serverVersion
            machine = StreamMachine(
                resume, configuration.context(.replication, place: fresh.place),
                source: configuration.source)
            connection = consume fresh
            try converse(version)
            return machine.opening(created: time.wall())
        } catch {
            close()
            throw error
        }
    }

    /// Plays the machine's actions until the stream runs or its timeline is over at once.
    private func converse(_ version: Int) throws(TidemarkError) {
        var action = try machine.begin(version: version)
        while true {
            switch action {
            case .ask(let command):
                if machine.step == .slotCreated, let claim = machine.resume.claim {
                    try claim(machine.descriptor(created: time.wall()))
                }
                action = try machine.handle(try connection!.ask(command))
            case .askSQL(let statement):
                action = try machine.handle(askAside(statement))
            case .stream:
                if let next = try awaitStart() { action = next } else { return }
            case .timelineEnded:
                // Told to the caller by the first pull, which then starts the next one.
                return
            case .finished:
                throw shutDown()
            }
        }
    }

    /// One statement on a connection of its own; no replies when there is no way to ask.
    private func askAside(_ statement: String) -> [ConnectionReply] {
        do throws(TidemarkError) {
            return try Connection(configuration, .sql()).ask(statement)
        } catch {
            return []
        }
    }

    /// Makes the server say something, so that a refused start is known here and not in some later
    /// pull: removed WAL is reported only after the stream has begun. Nil when the stream runs.
    private func awaitStart() throws(TidemarkError) -> StreamMachine.Action? {
        try begin()
        try sendStatus(asks: true)
        let deadline = time.monotonic().advanced(bySeconds: Self.startSeconds)
        while true {
            var message: [UInt8] = []
            let taken = try connection!.takeCopy { (bytes) throws(TidemarkError) in
                message = unsafe bytes.withUnsafeBytes { unsafe Array($0) }
            }
            switch taken {
            case .message:
                held = message
                machine.running()
                return nil
            case .ended:
                return try machine.handle(endReplies())
            case .nothing:
                let left = deadline.seconds(since: time.monotonic())
                guard left > 0,
                    try connection!.wait(seconds: left, hearsWake: false) == .ready
                else {
                    throw TidemarkError(
                        .sourceUnreachable,
                        "Postgres at \(machine.context.place) started no stream",
                        remedy: "see the server's log")
                }
            }
        }
    }

    /// Sets up what follows the bytes from the machine's starting point on.
    private func begin() throws(TidemarkError) {
        progress = StreamProgress(
            start: machine.start, now: time.monotonic(),
            statusSeconds: configuration.statusSeconds,
            silenceSeconds: configuration.silenceSeconds)
        let before = edge
        scanner = nil
        edge = nil
        joint = nil
        guard machine.version / 10_000 <= ServerVersion.newestMajor else { return }
        if let before, before.position == machine.start {
            scanner = before.continued(on: machine.timeline)
        } else if !machine.reachesBack, let archived = machine.resume.archived {
            let seam = WalSeam(archived: archived, segmentBytes: machine.size.bytes)
            scanner = try seam.scanner(
                at: machine.start, after: machine.timelineBefore, newScanner)
        }
        if let scanner, scanner.knowsRecord {
            joint = Joint(lastRecordStart: scanner.lastRecordStart)
        } else {
            scanner = newScanner(at: machine.start)
        }
        edge = scanner
    }

    private func newScanner(at start: UInt64) -> WalScanner {
        do throws(TidemarkError) {
            return try WalScanner(
                startAt: start, segmentBytes: machine.size.bytes,
                systemIdentifier: UInt64(machine.identity), timeline: machine.timeline)
        } catch {
            preconditionFailure("a stream starts on a segment of a known size: \(error)")
        }
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
            try take(unsafe message.span.bytes, sink)
        }
        return try take(until: deadline, from: before, sink)
    }

    /// Takes messages until there is a reason to return.
    private func take(
        until deadline: MonotonicTime, from before: UInt64, _ sink: any ChangeSink
    ) throws(TidemarkError) -> StreamTurn {
        while true {
            if progress.isReplyWanted { return .replyRequested }
            if progress.received - before >= Self.pullBytes { return .received }
            let taken = try connection!.takeCopy { (bytes) throws(TidemarkError) in
                try take(bytes, sink)
            }
            if taken == .message { continue }
            let now = time.monotonic()
            if taken == .ended { return try ended(sink) }
            let hasNews = progress.received > before
            // In the middle of a bulk the next bytes are on their way: no time to flush.
            if hasNews, progress.isCaughtUp {
                progress.heard(now)
                return .drained
            }
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
        guard scanner != nil else { return }
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

    private func sendStatus(asks: Bool) throws(TidemarkError) {
        status.removeAll(keepingCapacity: true)
        progress.status(time.monotonic(), wall: time.wall(), asks: asks).encode(into: &status)
        try connection!.putCopy(status)
    }
}

// MARK: timelines

extension Stream {
    /// The history files learned so far; durable before any WAL of their timelines is handed over.
    private func attachDocuments(_ sink: any ChangeSink) throws(TidemarkError) {
        while let document = machine.documents.first {
            try sink.attach(document.name, timeline: document.timeline, document.content)
            machine.documents.removeFirst()
        }
    }

    /// The stream has ended: the timeline is over, the server shuts down, or it failed.
    private func ended(_ sink: any ChangeSink) throws(TidemarkError) -> StreamTurn {
        var action = try machine.handle(endReplies())
        while true {
            switch action {
            case .ask(let command): action = try machine.handle(try connection!.ask(command))
            case .timelineEnded(let next):
                try attachDocuments(sink)
                return .timelineEnded(next: next)
            case .finished: return .finished
            case .askSQL, .stream: preconditionFailure("a stream that ended cannot go on")
            }
        }
    }

    /// The results behind the stream. After the server's "done" it waits for ours.
    private func endReplies() throws(TidemarkError) -> [ConnectionReply] {
        var replies: [ConnectionReply] = []
        while true {
            let reply = try connection!.reply()
            switch reply {
            case .copyIn: try connection!.endCopy()
            case .none: return replies
            case .done(let tag) where tag.hasPrefix("COPY"):
                // A controlled shutdown: the server closes the connection behind this.
                return replies + [reply]
            case .copyBoth, .copyOut, .done, .failed, .rows: replies.append(reply)
            }
        }
    }

    /// Starts the timeline that the last pull announced; a turn when it is over at once.
    private func startNext(_ sink: any ChangeSink) throws(TidemarkError) -> StreamTurn? {
        var action = machine.startNext()
        while true {
            switch action {
            case .ask(let command): action = try machine.handle(try connection!.ask(command))
            case .stream:
                guard let next = try awaitStart() else { return nil }
                action = next
            case .timelineEnded(let next):
                try attachDocuments(sink)
                return .timelineEnded(next: next)
            case .finished: return .finished
            case .askSQL: preconditionFailure("the slot is known by now")
            }
        }
    }

    private func shutDown() -> TidemarkError {
        TidemarkError(
            .sourceUnreachable, "Postgres at \(machine.context.place) is shutting down",
            remedy: "start the server; Tidemark connects again by itself")
    }
}
