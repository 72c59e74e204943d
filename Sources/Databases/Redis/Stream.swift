import Model
import Platform

/// The replication stream of one server: performs what `StreamMachine` and `AckPolicy` decide.
///
/// Owned by one thread; only `wake` may be called from others.
final class Stream: ChangeSource {
    let configuration: RedisConfiguration
    let state: RoomState
    let time: any TimeSource
    private let signal: Result<WakeSignal, TidemarkError>

    var connection: Connection?
    var machine: StreamMachine
    var splitter = CommandSplitter(at: StreamEdge(position: 0))
    private var timeline = TimelineID("")
    /// Zeros where it is not known.
    var version = RedisVersion(0, 0)
    private var acks = AckPolicy()
    /// Bytes of an ACK that the kernel has not taken yet.
    private var outgoing: ArraySlice<UInt8> = []
    /// What the server sends is received here; `[0, filled)` holds bytes not handed on yet.
    var buffer: [UInt8] = []
    var filled = 0
    /// Handed to the sink by the first pull.
    private var document: (name: String, content: [UInt8])?
    /// A timeline that leaves the archive's history inside a command begins with that command's
    /// bytes: they are handed on by the first pull, from this position on.
    private var inherited: (tail: StreamTail, from: UInt64)?
    private var quiet: QuietTime
    /// When what comes may have been made already, where that is not just now.
    private var lateness = Lateness()
    /// Start of the commands that the next note is about.
    private var noted: UInt64 = 0

    /// Large enough that a busy stream costs few system calls, small enough for the cache.
    static let bufferBytes = 256 << 10
    /// At most so much comes between two notes of the time; with the width of the index's own
    /// stretches no more than 64 KiB.
    private static let pieceBytes = 28 << 10

    init(_ configuration: RedisConfiguration, state: RoomState, time: any TimeSource) {
        self.configuration = configuration
        self.state = state
        self.time = time
        quiet = QuietTime(now: time.monotonic(), longestPause: configuration.silenceSeconds / 4)
        machine = StreamMachine(
            ResumePoint(descriptor: nil, end: nil), place: configuration.place)
        do throws(TidemarkError) {
            signal = .success(try WakeSignal())
        } catch {
            signal = .failure(error)
        }
    }

    func wake() {
        if case .success(let signal) = signal { signal.raise() }
    }

    func close() {
        connection = nil
        outgoing = []
        filled = 0
    }
}

// MARK: opening

extension Stream {
    func open(_ resume: ResumePoint) throws(TidemarkError) -> StreamOpening {
        close()
        state.recall(resume.copies, time)
        do throws(TidemarkError) {
            let wake = try signal.get()
            wake.clear()
            let info = try Questions.serverInfo(configuration, state, time, wake: wake)
            machine = StreamMachine(resume, place: configuration.place)
            version = info?.version ?? RedisVersion(0, 0)
            let action = try machine.begin(info)
            let start = try join(action, wake)
            try begin(start, resume)
            lateness.began(
                at: start.position.ordinal, sourceEnd: info?.offset,
                proved: start.parent == nil ? resume.proved : nil,
                created: resume.descriptor?.created, time.monotonic())
            return opening(info, resume)
        } catch {
            close()
            throw error
        }
    }

    private func opening(_ info: ServerInfo?, _ resume: ResumePoint) -> StreamOpening {
        let descriptor =
            resume.descriptor
            ?? SourceDescriptor(
                source: configuration.source, kind: .redis,
                identity: timeline.name,
                majorVersion: info.map { "\($0.version.major).\($0.version.minor)" } ?? "",
                segmentBytes: RedisRoom.segmentBytes, created: time.wall())
        return StreamOpening(
            descriptor: descriptor, start: Position(timeline: timeline, ordinal: noted),
            serverVersion: info?.versionText ?? "", sourceEnd: max(noted, info?.offset ?? 0),
            state: splitter.edge.state.isEmpty ? nil : splitter.edge.state)
    }

    /// Sets up what follows the bytes from the start on.
    private func begin(
        _ start: StreamMachine.Start, _ resume: ResumePoint
    ) throws(TidemarkError) {
        timeline = start.position.timeline
        acks = AckPolicy()
        quiet.heard(time.monotonic())
        document = nil
        if let parent = start.parent {
            let older = resume.documents[HistoryDocument.name(parent.timeline)]
            document = (
                HistoryDocument.name(timeline),
                try HistoryDocument(leaving: parent, older: older).bytes
            )
        }
        splitter = try warmed(start, resume)
        noted = start.position.ordinal
        inherited = nil
        if start.parent != nil, let tail = resume.tail, splitter.edge.position < noted {
            noted = splitter.edge.position
            inherited = (tail, noted)
        }
        state.update { $0.received = start.position }
    }

    /// A splitter that stands where the stream goes on: mid-command when the archive ends there.
    private func warmed(
        _ start: StreamMachine.Start, _ resume: ResumePoint
    ) throws(TidemarkError) -> CommandSplitter {
        let fresh = CommandSplitter(at: StreamEdge(position: start.position.ordinal))
        // A fork lies between commands, and the server sends SELECT again.
        guard let tail = resume.tail, let end = machine.end, tail.first <= end.ordinal,
            start.position.ordinal == end.ordinal,
            [start.position.timeline, start.parent?.timeline].contains(end.timeline)
        else { return fresh }
        var splitter = CommandSplitter(
            at: StreamEdge(
                position: tail.first, database: Int(tail.state) ?? CommandSplitter.unknownDatabase))
        var scan = StreamScan()
        try tail.read { (bytes) throws(TidemarkError) in
            do throws(SplitFailure) {
                try splitter.scan(bytes, into: &scan)
            } catch {
                throw error.archiveDamaged
            }
        }
        guard splitter.position == end.ordinal else {
            throw TidemarkError(
                .archiveDamaged,
                "the archive of \(configuration.source) ends at "
                    + "\(splitter.position), not at \(end.ordinal) as its names say",
                remedy: "run `tidemark verify --deep`")
        }
        return splitter
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
        if let document {
            try sink.attach(document.name, timeline: timeline, document.content)
            self.document = nil
        }
        if let inherited {
            try handOn(inherited.tail, from: inherited.from, sink)
            self.inherited = nil
        }
        // What came together with the answer to PSYNC.
        if filled > 0 { return try handOn(filled, sink) }
        while true {
            // Read before the socket is: whatever holds us up in between, a server is given up
            // only after one more look.
            let now = time.monotonic()
            switch try connection!.receive(into: &buffer, at: 0) {
            case .bytes(let count):
                quiet.heard(now)
                lateness.received(now, state.arrival(time).earliest)
                return try handOn(count, sink)
            case .closed: throw ended()
            case .nothing:
                quiet.looked(now)
                lateness.looked(now)
                let left = configuration.silenceSeconds - quiet.seconds
                guard left > 0 else {
                    throw connection!.silent("sent no PING", configuration.silenceSeconds)
                }
                try sendOutgoing()
                let limit = min(deadline.seconds(since: now), left, quiet.longestPause)
                let waited = try connection!.wait(seconds: limit)
                lateness.waited(until: time.monotonic(), atMost: limit)
                if waited == .woken || waited == .timeout && time.monotonic() >= deadline {
                    return .idle
                }
            }
        }
    }

    /// The bytes of the archive's end that the new timeline begins with.
    private func handOn(
        _ tail: StreamTail, from start: UInt64, _ sink: any ChangeSink
    ) throws(TidemarkError) {
        var position = tail.first
        try tail.read { (bytes) throws(TidemarkError) in
            let end = position + UInt64(bytes.byteCount)
            if end > start {
                let skipped = Int(start > position ? start - position : 0)
                try sink.append(
                    bytes.extracting(skipped..<bytes.byteCount), at: max(start, position))
            }
            position = end
        }
    }

    /// Splits what lies in the buffer and gives it to the sink, a piece at a time, so that the
    /// index knows a place at least every 64 KiB, and a command.
    private func handOn(
        _ count: Int, _ sink: any ChangeSink
    ) throws(TidemarkError) -> StreamTurn {
        filled = 0
        let buffer = self.buffer
        let arrival = state.arrival(time)
        var scan = StreamScan()
        var first = 0
        while first < count {
            let last = min(first + Self.pieceBytes, count)
            try handOn(buffer.span.extracting(first..<last), arrival, &scan, sink)
            first = last
        }
        let isFull = count == buffer.count
        lateness.handedOn(to: splitter.position, isAll: !isFull)
        return try turn(scan, isFull: isFull)
    }

    /// One piece, cut at its last edge.
    private func handOn(
        _ piece: Span<UInt8>, _ arrival: Arrival, _ scan: inout StreamScan, _ sink: any ChangeSink
    ) throws(TidemarkError) {
        let bytes = unsafe piece.bytes
        let first = splitter.position
        let before = splitter.edge
        var failure: SplitFailure?
        do throws(SplitFailure) {
            try splitter.scan(piece, into: &scan)
        } catch {
            failure = error
        }
        let received = Int(splitter.position - first)
        let edge = splitter.edge
        if edge != before {
            let whole = Int(edge.position - first)
            try sink.append(bytes.extracting(0..<whole), at: first)
            try sink.note(
                HistoryEntry(
                    event: .commit(transaction: 0), first: noted, last: edge.position,
                    time: arrival.time, earliest: arrival.earliest(late: lateness.earliest)))
            noted = edge.position
            try sink.edge(edge.position, state: edge.state)
            if whole < received {
                try sink.append(bytes.extracting(whole..<received), at: edge.position)
            }
        } else if received > 0 {
            try sink.append(bytes.extracting(0..<received), at: first)
        }
        guard let failure else { return }
        let rest = piece.extracting(received..<min(received + 200, piece.count))
        throw broken(failure, rest.indices.map { rest[$0] })
    }

    private func turn(_ scan: StreamScan, isFull: Bool) throws(TidemarkError) -> StreamTurn {
        let now = time.monotonic()
        let received = Position(timeline: timeline, ordinal: splitter.position)
        state.update { $0.received = received }
        if scan.hasReplay {
            throw TidemarkError(
                .sourceRefused,
                "\(configuration.place) is a KeyDB with active replication, whose "
                    + "stream only KeyDB understands",
                remedy: "set `active-replica no`")
        }
        if let end = scan.getAckEnd {
            acks.asked(at: end)
            state.update { $0.lastGetAck = now }
        }
        if acks.askedAt != nil { return .replyRequested }
        return isFull ? .received : .drained
    }

    func acknowledge(received: UInt64, durable: UInt64) throws(TidemarkError) {
        guard connection != nil else { return }
        guard let offset = acks.next(durable: durable, now: time.monotonic()) else { return }
        var words = ["REPLCONF", "ACK", String(offset)]
        if version >= .durableAck { words += ["FACK", String(offset)] }
        do throws(TidemarkError) {
            // One that the kernel took in part must be finished first; the next one will do.
            try sendOutgoing()
            if outgoing.isEmpty {
                outgoing = ReplyReader.command(words.map { Array($0.utf8) })[...]
                try sendOutgoing()
            }
        } catch {
            close()
            throw error
        }
    }

    private func sendOutgoing() throws(TidemarkError) {
        guard !outgoing.isEmpty else { return }
        outgoing = outgoing.dropFirst(try connection!.sendSome(outgoing))
    }

    private func ended() -> TidemarkError {
        TidemarkError(
            .sourceUnreachable, "Redis at \(configuration.place) closed the replication stream",
            remedy: "Tidemark connects again by itself; if this goes on see the server's log and "
                + "raise `client-output-buffer-limit replica`")
    }

    /// At a command's start a `-` is an error answer to an ACK: rights were taken away.
    private func broken(_ failure: SplitFailure, _ rest: [UInt8]) -> TidemarkError {
        if failure.reason == .notACommand(UInt8(ascii: "-")) {
            let line = String(decoding: rest.dropFirst().prefix { $0 != 13 }, as: UTF8.self)
            return ConnectionFailure(line).error(configuration, command: "REPLCONF")
        }
        return TidemarkError(
            .sourceUnreachable, "\(configuration.place): \(failure)",
            remedy: "Tidemark connects again by itself; if this goes on check the source's memory "
                + "and the network between")
    }
}
