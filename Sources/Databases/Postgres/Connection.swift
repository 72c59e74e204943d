import CLibPQ
import Glibc
import Model
import Platform

/// One libpq connection, owned by one thread. Only this file and the two that it is made with,
/// `Connector` and `ConnectionOptions`, call libpq.
///
/// libpq is used without blocking: every wait is a `poll` on the socket (and a wake signal) with a
/// limit, so that a dead server or a stop is never waited for. Memory that libpq lends is lent on
/// as a span for the time of a call.
@safe
struct Connection: ~Copyable {
    private let raw: OpaquePointer
    private let wake: WakeSignal?
    private let context: ConnectionFailure.Context
    /// Tells how many decrypted bytes wait inside OpenSSL, where `poll` does not see them.
    private let hidden: HiddenBytes
    private let notices: NoticeLog

    /// Connects; takes at most `configuration.connectSeconds` per host.
    ///
    /// - Parameter wake: When raised, connecting ends with `sourceUnreachable`, and `wait` returns.
    init(
        _ configuration: PostgresConfiguration, _ mode: PostgresConfiguration.Mode,
        wake: WakeSignal? = nil
    ) throws(TidemarkError) {
        let connected = try unsafe Connector(configuration, mode, wake).connect()
        let log = NoticeLog()
        context = configuration.context(mode, place: unsafe Self.place(connected))
        unsafe raw = connected
        self.wake = wake
        notices = log
        hidden = unsafe HiddenBytes(
            session: PQsslInUse(connected) == 1 ? PQsslStruct(connected, "OpenSSL") : nil,
            isEncrypted: PQsslInUse(connected) == 1 || PQgssEncInUse(connected) == 1)
        unsafe PQsetnonblocking(connected, 1)
        unsafe PQsetNoticeReceiver(
            connected,
            { argument, result in
                guard let argument = unsafe argument else { return }
                let log = unsafe Unmanaged<NoticeLog>.fromOpaque(argument).takeUnretainedValue()
                log.add(unsafe Connection.field("M", result))
            }, unsafe Unmanaged.passUnretained(log).toOpaque())
    }

    deinit { unsafe PQfinish(raw) }

    /// `150020`
    var serverVersion: Int { Int(unsafe PQserverVersion(raw)) }

    /// `host:port` of the server that was reached.
    var place: String { context.place }

    /// The server's warnings since the last call, oldest first.
    func takeNotices() -> [String] { notices.take() }

    /// A setting that the server reports by itself, such as `in_hot_standby`.
    func reported(_ name: String) -> String? {
        guard let value = unsafe PQparameterStatus(raw, name) else { return nil }
        return unsafe String(cString: value)
    }
}

// MARK: commands

extension Connection {
    /// Sends a command; its results are taken by `reply` until `none`.
    func send(_ command: String) throws(TidemarkError) {
        guard unsafe PQsendQuery(raw, command) == 1 else { throw broken() }
        try flush(seconds: 30)
    }

    /// The next result of the last command. Throws `sourceUnreachable` when it takes too long.
    func reply(seconds: Double = 30) throws(TidemarkError) -> ConnectionReply {
        let deadline = SocketWait.now() + seconds
        while unsafe PQisBusy(raw) == 1 {
            try takeInput(deadline)
        }
        guard let result = unsafe PQgetResult(raw) else { return .none }
        defer { unsafe PQclear(result) }
        return try unsafe decode(result)
    }

    /// Sends a command and collects its results up to its end, or up to the start of a stream.
    func ask(_ command: String, seconds: Double = 30) throws(TidemarkError) -> [ConnectionReply] {
        try send(command)
        var replies: [ConnectionReply] = []
        while true {
            let reply = try reply(seconds: seconds)
            switch reply {
            case .none: return replies
            case .copyBoth, .copyIn, .copyOut: return replies + [reply]
            case .rows, .done, .failed: replies.append(reply)
            }
        }
    }

    /// The rows of each statement in `sql`; any refusal becomes an error.
    func rows(_ sql: String, seconds: Double = 30) throws(TidemarkError) -> [ConnectionRows] {
        var sets: [ConnectionRows] = []
        for reply in try ask(sql, seconds: seconds) {
            switch reply {
            case .rows(let rows): sets.append(rows)
            case .failed(let failure): throw failure.error(context)
            case .done, .copyBoth, .copyIn, .copyOut, .none: break
            }
        }
        return sets
    }

    /// The error of a refusal on this connection.
    func error(_ failure: ConnectionFailure) -> TidemarkError { failure.error(context) }

    private func decode(_ result: OpaquePointer) throws(TidemarkError) -> ConnectionReply {
        switch unsafe PQresultStatus(result) {
        case PGRES_TUPLES_OK, PGRES_SINGLE_TUPLE: return .rows(unsafe Self.rows(result))
        case PGRES_COMMAND_OK, PGRES_EMPTY_QUERY:
            guard let tag = unsafe PQcmdStatus(result) else { return .done("") }
            return .done(unsafe String(cString: tag))
        case PGRES_COPY_BOTH: return .copyBoth
        case PGRES_COPY_OUT: return .copyOut
        case PGRES_COPY_IN: return .copyIn
        default:
            let state = unsafe Self.field("C", result)
            // Without a code it is not the server's refusal but a lost connection.
            if state.isEmpty { throw broken() }
            return .failed(
                ConnectionFailure(
                    state: state, message: unsafe Self.field("M", result),
                    detail: unsafe Self.field("D", result)))
        }
    }

    private static func rows(_ result: OpaquePointer) -> ConnectionRows {
        let columns = unsafe PQnfields(result)
        return ConnectionRows(
            cells: (0..<(unsafe PQntuples(result))).map { row in
                (0..<columns).map { column -> [UInt8]? in
                    guard unsafe PQgetisnull(result, row, column) == 0,
                        let value = unsafe PQgetvalue(result, row, column)
                    else { return nil }
                    let length = unsafe Int(PQgetlength(result, row, column))
                    return unsafe Array(UnsafeRawBufferPointer(start: value, count: length))
                }
            })
    }

    /// A field of an error or notice; libpq's `PG_DIAG_…` codes are single letters.
    private static func field(_ code: Unicode.Scalar, _ result: OpaquePointer?) -> String {
        guard let text = unsafe PQresultErrorField(result, Int32(code.value)) else { return "" }
        return ConnectionFailure.flat(unsafe String(cString: text))
    }
}

// MARK: streams

extension Connection {
    /// What `takeCopy` found.
    enum CopyTaken: Sendable, Equatable {
        case message
        /// No whole message has arrived.
        case nothing
        /// The stream is over; `reply` tells why.
        case ended
    }

    /// Lends the next message of the stream to `body`; never waits.
    ///
    /// - Parameter readsSocket: False takes only what came with the message before.
    func takeCopy(
        readsSocket: Bool = true, _ body: (RawSpan) throws(TidemarkError) -> Void
    ) throws(TidemarkError) -> CopyTaken {
        var buffer: UnsafeMutablePointer<CChar>?
        var length = unsafe PQgetCopyData(raw, &buffer, 1)
        if length == 0, readsSocket {
            guard unsafe PQconsumeInput(raw) == 1 else { throw broken() }
            length = unsafe PQgetCopyData(raw, &buffer, 1)
        }
        switch length {
        case 0: return .nothing
        case -1: return .ended
        case 1...:
            guard let buffer = unsafe buffer else { throw broken() }
            defer { unsafe PQfreemem(buffer) }
            let bytes = unsafe UnsafeRawBufferPointer(start: buffer, count: Int(length))
            try body(unsafe bytes.bytes)
            return .message
        default: throw broken()
        }
    }

    /// Waits until bytes arrive, the wake signal is up (it is taken down), or the time is over.
    ///
    /// - Parameter hearsWake: False leaves the signal alone, for a later wait.
    func wait(seconds: Double, hearsWake: Bool = true) throws(TidemarkError) -> SocketWait {
        let wake = hearsWake ? wake : nil
        switch hidden.count() {
        case .some(let count) where count > 0: return .ready
        case .some: return try poll(POLLIN, wake, seconds: seconds)
        case .none:
            // Encrypted, and libpq does not tell what it holds back: look often.
            let waited = try poll(POLLIN, wake, seconds: min(seconds, 0.02))
            return waited == .timeout && seconds > 0.02 ? .ready : waited
        }
    }

    /// Sends one message into the stream.
    func putCopy(_ message: [UInt8]) throws(TidemarkError) {
        let status = unsafe message.withUnsafeBytes { bytes in
            unsafe PQputCopyData(
                raw, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(bytes.count))
        }
        guard status == 1 else { throw broken() }
        try flush(seconds: 30)
    }

    /// Ends our direction of the stream.
    func endCopy() throws(TidemarkError) {
        guard unsafe PQputCopyEnd(raw, nil) == 1 else { throw broken() }
        try flush(seconds: 30)
    }
}

// MARK: waiting

extension Connection {
    /// Writes out what libpq holds, taking input meanwhile: the server may be waiting to write,
    /// too.
    private func flush(seconds: Double) throws(TidemarkError) {
        let deadline = SocketWait.now() + seconds
        while true {
            let status = unsafe PQflush(raw)
            if status == 0 { return }
            guard status == 1 else { throw broken() }
            let left = deadline - SocketWait.now()
            guard left > 0, try poll(POLLIN | POLLOUT, nil, seconds: left) == .ready else {
                throw silent(seconds)
            }
            guard unsafe PQconsumeInput(raw) == 1 else { throw broken() }
        }
    }

    /// Waits for input and takes it.
    private func takeInput(_ deadline: Double) throws(TidemarkError) {
        let left = deadline - SocketWait.now()
        guard left > 0, try wait(seconds: left, hearsWake: false) == .ready else {
            throw silent(nil)
        }
        guard unsafe PQconsumeInput(raw) == 1 else { throw broken() }
    }

    private func poll(
        _ events: Int32, _ wake: WakeSignal?, seconds: Double
    ) throws(TidemarkError) -> SocketWait {
        try unsafe SocketWait.wait(PQsocket(raw), events, wake, seconds: seconds)
    }
}

// MARK: failures

extension Connection {
    /// The connection is lost; libpq's words, or those of the server's last message.
    private func broken() -> TidemarkError {
        let text = unsafe PQerrorMessage(raw).map { unsafe String(cString: $0) } ?? ""
        let failure = ConnectionFailure(connectionText: text)
        if !failure.state.isEmpty { return failure.error(context) }
        return TidemarkError(
            .sourceUnreachable, "lost the connection to Postgres at \(place): \(failure.message)",
            remedy: "see the server's log; Tidemark connects again by itself")
    }

    private func silent(_ seconds: Double?) -> TidemarkError {
        let time = seconds.map { " within \($0) s" } ?? " in time"
        return TidemarkError(
            .sourceUnreachable, "Postgres at \(place) did not answer\(time)",
            remedy: "see whether the server is overloaded or the network is cut")
    }

    private static func place(_ raw: OpaquePointer) -> String {
        let host = unsafe PQhost(raw).map { unsafe String(cString: $0) } ?? ""
        let port = unsafe PQport(raw).map { unsafe String(cString: $0) } ?? ""
        return HostList.Host(name: host, address: "", port: port).place
    }
}
