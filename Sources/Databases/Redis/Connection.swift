import Model
import Platform

/// A logged-in connection for questions; also the first part of a stream's life.
///
/// Owned by one thread. Every wait has a limit.
struct Connection: ~Copyable {
    private let wire: Wire
    let configuration: RedisConfiguration
    private var reader = ReplyReader()
    private var buffer = [UInt8](repeating: 0, count: 16 << 10)

    private init(_ wire: consuming Wire, _ configuration: RedisConfiguration) {
        self.wire = wire
        self.configuration = configuration
    }

    /// Connects and logs in. Throws `sourceUnreachable` or `sourceRefused`.
    static func open(
        _ configuration: RedisConfiguration, wake: WakeSignal? = nil
    ) throws(TidemarkError) -> Connection {
        var connection = Connection(try Wire(configuration, wake: wake), configuration)
        try connection.wire.shakeHands(seconds: configuration.connectSeconds)
        if let words = configuration.authentication { _ = try connection.answer(words) }
        return connection
    }

    /// The answer to a command, an error answer included.
    mutating func ask(_ words: [String]) throws(TidemarkError) -> Reply {
        try send(words)
        return try reply()
    }

    /// The answer to a command; an error answer is thrown.
    mutating func answer(_ words: [String]) throws(TidemarkError) -> Reply {
        let reply = try ask(words)
        if case .error(let text) = reply { throw failure(text, command: words[0]) }
        return reply
    }

    /// The answer to a command; nil when the server refuses it to us or does not know it.
    mutating func answerIfAllowed(_ words: [String]) throws(TidemarkError) -> Reply? {
        let reply = try ask(words)
        guard case .error(let text) = reply else { return reply }
        let failure = ConnectionFailure(text)
        if failure.isMissingRight || failure.isUnknownCommand { return nil }
        throw self.failure(text, command: words[0])
    }

    func failure(_ text: String, command: String) -> TidemarkError {
        ConnectionFailure(text).error(configuration, command: command)
    }

    func send(_ words: [String]) throws(TidemarkError) {
        try wire.send(
            ReplyReader.command(words.map { Array($0.utf8) }), seconds: configuration.answerSeconds)
    }

    mutating func reply() throws(TidemarkError) -> Reply {
        let deadline = SocketWait.now() + configuration.answerSeconds
        while true {
            if let reply = try reader.next() { return reply }
            switch try wire.receive(into: &buffer, at: 0) {
            case .bytes(let count): try reader.feed(buffer[..<count])
            case .closed: throw closed()
            case .nothing:
                let left = deadline - SocketWait.now()
                guard left > 0 else {
                    throw wire.silent("did not answer", configuration.answerSeconds)
                }
                if try wire.wait(seconds: left) == .woken { throw interrupted() }
            }
        }
    }

    /// Our own address on this connection; the loopback for a unix socket.
    var localHost: String { wire.localHost }

    /// The server's address on this connection; the loopback for a unix socket.
    var peerHost: String { wire.peerHost }

    /// Whether the calling thread may use it.
    var isOwnThread: Bool { wire.isOwnThread }

    // MARK: the bytes of a stream

    func receive(
        into buffer: inout [UInt8], at offset: Int
    ) throws(TidemarkError) -> Wire.Received {
        try wire.receive(into: &buffer, at: offset)
    }

    func wait(seconds: Double) throws(TidemarkError) -> SocketWait {
        try wire.wait(seconds: seconds)
    }

    func sendSome(_ bytes: ArraySlice<UInt8>) throws(TidemarkError) -> Int {
        try wire.sendSome(bytes)
    }

    // MARK: failures

    func silent(_ what: String, _ seconds: Double) -> TidemarkError { wire.silent(what, seconds) }

    func closed() -> TidemarkError {
        TidemarkError(
            .sourceUnreachable, "Redis at \(configuration.place) closed the connection",
            remedy: "see the server's log")
    }

    func interrupted() -> TidemarkError {
        TidemarkError(
            .sourceUnreachable, "waiting for Redis at \(configuration.place) was cut short")
    }
}
