import Model
import Platform

/// Opening: from the connection to the first message of the stream.
extension Stream {
    /// Seconds for the server to show that it accepted the starting point.
    private static let startSeconds = 30.0

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
    func awaitStart() throws(TidemarkError) -> StreamMachine.Action? {
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
                let isKeepalive = message.first == Keepalive.tag
                guard machine.showsStart(keepalive: isKeepalive) else {
                    let sign = try Keepalive(unsafe message.span.bytes)
                    if sign.replyRequested { try sendStatus(asks: false) }
                    continue
                }
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
