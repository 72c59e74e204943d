import Model
import Platform

/// A base backup of one server: an RDB, asked for on a connection of its own while the stream goes
/// on.
///
/// `REPLCONF rdb-only 1` makes the server send an RDB and close; it never feeds this connection the
/// stream, so a slow archive cannot make it drop us. The answer to PSYNC tells the exact place in
/// the history that the file stands for, and the file says it again in its own header.
final class BaseBackup: BaseBackupSource {
    private let configuration: RedisConfiguration
    private let state: RoomState
    private let time: any TimeSource
    private var connection: Connection?
    private var payload = PayloadReader()
    private var start = Position(timeline: TimelineID(""), ordinal: 0)
    private var buffer: [UInt8] = []
    private var filled = 0
    /// The RDB's beginning, held back until its header is whole.
    private var held: [UInt8] = []
    private var hasBegun = false
    private var warnings: [String] = []

    static let fileName = "dump.rdb"
    private static let bufferBytes = 1 << 20
    /// Seconds without a byte; while the server prepares it sends a newline each second.
    private static let silenceSeconds = 60.0

    init(_ configuration: RedisConfiguration, state: RoomState, time: any TimeSource) {
        self.configuration = configuration
        self.state = state
        self.time = time
    }

    func close() {
        connection = nil
        filled = 0
    }

    // MARK: starting

    func begin(label: String, fast: Bool) throws(TidemarkError) -> BaseBackupStart {
        close()
        do throws(TidemarkError) {
            return try begun()
        } catch {
            close()
            throw error
        }
    }

    private func begun() throws(TidemarkError) -> BaseBackupStart {
        payload = PayloadReader()
        (held, hasBegun, warnings) = ([], false, [])
        buffer = [UInt8](repeating: 0, count: Self.bufferBytes)
        var side = try Connection.open(configuration)
        let info = try Questions.info(&side)
        var facts = try ServerFacts.ask(&side, info)
        try ask()
        let preamble = try header()
        try compare(preamble)
        facts.settings["rdb-version"] = String(preamble.version)
        facts.settings["repl-stream-db"] = preamble.fields["repl-stream-db"] ?? ""
        if facts.version.isEmpty { facts.version = preamble.release ?? "" }
        facts.identity = start.timeline.name
        let version = ServerRelease(preamble.release ?? facts.version).level
        let descriptor = SourceDescriptor(
            source: configuration.source, kind: .redis, identity: start.timeline.name,
            majorVersion: "\(version.major).\(version.minor)",
            segmentBytes: RedisRoom.segmentBytes, created: time.wall())
        return BaseBackupStart(
            descriptor: descriptor, timeline: start.timeline, start: start.ordinal, server: facts,
            configuration: [], estimatedBytes: payload.length ?? 0)
    }

    private func ask() throws(TidemarkError) {
        try state.countFullResync(
            for: .baseBackup, time.monotonic(), place: configuration.place)
        var fresh = try Connection.open(configuration)
        _ = try fresh.answerIfAllowed(["CLIENT", "SETNAME", configuration.clientName + "-base"])
        _ = try fresh.answer(["REPLCONF", "capa", "psync2"])
        if case .error(let text) = try fresh.ask(["REPLCONF", "rdb-only", "1"]),
            ConnectionFailure(text).isMissingRight
        {
            // Servers before 6.2 do not know it; they send the stream behind the RDB, unread.
            throw fresh.failure(text, command: "REPLCONF")
        }
        try fresh.send(["PSYNC", "?", "-1"])
        connection = consume fresh
        let line = try line()
        if line.hasPrefix("-") {
            throw ConnectionFailure(String(line.dropFirst())).error(
                configuration, command: "PSYNC")
        }
        guard case .fullResync(let id, let offset)? = StreamMachine.Answer(line) else {
            throw TidemarkError(
                .sourceUnreachable,
                "Redis at \(configuration.place) answered PSYNC with \(line.prefix(80))",
                remedy: "check what stands between: a proxy may not pass replication on")
        }
        start = Position(timeline: TimelineID(id), ordinal: offset)
    }

    /// The line that answers PSYNC, without its end.
    private func line() throws(TidemarkError) -> String {
        var text: [UInt8] = []
        while text.count < 4096 {
            if filled == 0 { try receive() }
            let end = buffer[..<filled].firstIndex(of: 10)
            text += buffer[..<(end ?? filled)].filter { $0 != 13 }
            drop(end.map { $0 + 1 } ?? filled)
            if end != nil, !text.isEmpty { return String(decoding: text, as: UTF8.self) }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The RDB's header, kept for the first pull.
    private func header() throws(TidemarkError) -> RDBPreamble {
        while true {
            if let preamble = try RDBPreamble(held), payload.isInContent || payload.isDone {
                return preamble
            }
            guard !payload.isDone else { throw RDBPreamble.damaged("it ends within its header") }
            if filled == 0 { try receive() }
            let bytes = buffer
            let (taken, content) = try payload.take(unsafe bytes.span.bytes.extracting(0..<filled))
            held += bytes[content]
            drop(taken)
            if let refusal = payload.refusal {
                throw ConnectionFailure(refusal).error(configuration, command: "PSYNC")
            }
        }
    }

    /// The file's own account of its place must be the one PSYNC told.
    private func compare(_ preamble: RDBPreamble) throws(TidemarkError) {
        guard let id = preamble.fields["repl-id"], let offset = preamble.fields["repl-offset"]
        else {
            warnings.append("the RDB does not tell its own place in the history")
            return
        }
        guard id == start.timeline.name, offset == String(start.ordinal) else {
            throw RDBPreamble.damaged(
                "it says \(id) \(offset), the server said \(start.timeline) \(start.ordinal)")
        }
    }

    // MARK: content

    func pull(into sink: any BaseBackupSink) throws(TidemarkError) -> BaseBackupEnd? {
        guard connection != nil || payload.isDone else {
            throw TidemarkError(
                .sourceUnreachable, "the base backup of \(configuration.source) is closed")
        }
        do throws(TidemarkError) {
            if !hasBegun {
                hasBegun = true
                try sink.begin(
                    BaseBackupFile(
                        name: Self.fileName, role: .data, origin: nil, location: nil))
                let first = held
                held = []
                try sink.append(unsafe first.span.bytes)
            } else if !payload.isDone {
                if filled == 0 { try receive() }
                try handOn(sink)
            }
        } catch {
            close()
            throw error
        }
        guard payload.isDone else { return nil }
        close()
        if !payload.hasChecksum {
            warnings.append("the RDB has no checksum (`rdbchecksum no`): damage would not be seen")
        }
        return BaseBackupEnd(position: start.ordinal, warnings: warnings)
    }

    private func handOn(_ sink: any BaseBackupSink) throws(TidemarkError) {
        let bytes = buffer
        let raw = unsafe bytes.span.bytes
        let (taken, content) = try payload.take(raw.extracting(0..<filled))
        if !content.isEmpty { try sink.append(raw.extracting(content)) }
        filled -= taken
        precondition(filled == 0 || payload.isDone, "an RDB takes all bytes until it is whole")
    }

    // MARK: bytes

    private func drop(_ count: Int) {
        guard count > 0 else { return }
        buffer.replaceSubrange(0..<(filled - count), with: Array(buffer[count..<filled]))
        filled -= count
    }

    private func receive() throws(TidemarkError) {
        let deadline = SocketWait.now() + Self.silenceSeconds
        while true {
            switch try connection!.receive(into: &buffer, at: filled) {
            case .bytes(let count):
                filled += count
                return
            case .closed:
                throw TidemarkError(
                    .sourceUnreachable,
                    "Redis at \(configuration.place) closed the connection "
                        + "before its RDB was whole",
                    remedy: "see the server's log: it may lack memory to fork, or disk for the file"
                )
            case .nothing:
                let left = deadline - SocketWait.now()
                guard left > 0 else {
                    throw connection!.silent("sent nothing of its RDB", Self.silenceSeconds)
                }
                _ = try connection!.wait(seconds: left)
            }
        }
    }
}
