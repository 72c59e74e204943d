import Glibc
import Model
import Platform

/// A socket to the server, owned by one thread; never blocks without a limit.
///
/// Our own from the first byte: hiredis cannot read what PSYNC answers (keep-alive newlines, a
/// payload without a line end) and reads ahead into a buffer of its own.
@safe
struct Wire: ~Copyable {
    let descriptor: Int32
    private let place: String
    private let wake: WakeSignal?
    /// Nil for plain text.
    private let tls: TLSSession?

    /// Whether the calling thread may use it.
    var isOwnThread: Bool { tls?.isOwnThread ?? true }

    /// Connects within `configuration.connectSeconds`, trying each address of the name.
    ///
    /// - Parameter wake: When raised, waits end with `.woken`, and connecting and sending with
    ///   `sourceUnreachable`.
    init(_ configuration: RedisConfiguration, wake: WakeSignal?) throws(TidemarkError) {
        let session = configuration.isEncrypted ? try TLSSession(configuration) : nil
        let connected: Int32
        switch configuration.endpoint {
        case .tcp(let host, let port):
            connected = try Self.connect(
                host, port, configuration.connectSeconds, wake, configuration.place)
        case .unix(let path):
            connected = try Self.connect(path, configuration.connectSeconds, wake)
        }
        // Nothing throws from here on: a half-made value could not be given up.
        descriptor = connected
        tls = session
        place = configuration.place
        self.wake = wake
    }

    deinit { Glibc.close(descriptor) }

    /// Waits until an encrypted connection stands.
    func shakeHands(seconds: Double) throws(TidemarkError) {
        guard let tls else { return }
        let deadline = SocketWait.now() + seconds
        while !tls.isReady {
            try flush(tls)
            switch try receiveRaw(into: &tls.scratch, at: 0) {
            case .bytes(let count): try tls.received(tls.scratch[..<count])
            case .nothing:
                let left = deadline - SocketWait.now()
                guard left > 0, try wait(POLLIN, seconds: left) == .ready else {
                    throw silent("did not take up TLS; does this port speak it?", seconds)
                }
            case .closed: throw unreachable("no TLS with", ECONNRESET)
            }
        }
        try flush(tls)
    }

    /// Our own address, in numbers; the loopback for a unix socket.
    var localHost: String { SocketHost.own(descriptor) ?? "127.0.0.1" }

    /// The server's address, in numbers; the loopback for a unix socket.
    var peerHost: String { SocketHost.peer(descriptor) ?? "127.0.0.1" }

    // MARK: bytes

    enum Received: Sendable, Equatable {
        case bytes(Int)
        /// Nothing has arrived.
        case nothing
        /// The server closed the connection; everything it sent before was received.
        case closed
    }

    /// Takes what has arrived; never waits.
    func receive(into buffer: inout [UInt8], at offset: Int) throws(TidemarkError) -> Received {
        precondition(offset < buffer.count, "receiving needs room")
        guard let tls else { return try receiveRaw(into: &buffer, at: offset) }
        while true {
            let count = tls.read(into: &buffer, at: offset)
            if count > 0 { return .bytes(count) }
            try flush(tls)
            switch try receiveRaw(into: &tls.scratch, at: 0) {
            case .bytes(let count): try tls.received(tls.scratch[..<count])
            case .nothing: return .nothing
            case .closed: return .closed
            }
        }
    }

    private func receiveRaw(
        into buffer: inout [UInt8], at offset: Int
    ) throws(TidemarkError) -> Received {
        while true {
            let count = unsafe buffer.withUnsafeMutableBytes {
                unsafe recv(descriptor, $0.baseAddress! + offset, $0.count - offset, 0)
            }
            if count > 0 { return .bytes(count) }
            if count == 0 { return .closed }
            switch errno {
            case EINTR: continue
            case EAGAIN: return .nothing
            // What lay in the kernel's buffer has been received by now; the rest is lost anyway.
            case ECONNRESET, EPIPE: return .closed
            default: throw unreachable("cannot receive from", errno)
            }
        }
    }

    /// Sends as much as the kernel takes at once; returns how much. Encrypted bytes are all taken,
    /// and leave with later calls when they must.
    func sendSome(_ bytes: ArraySlice<UInt8>) throws(TidemarkError) -> Int {
        guard let tls else { return try sendRaw(bytes) }
        try tls.send(bytes)
        try flush(tls)
        return bytes.count
    }

    private func flush(_ tls: TLSSession) throws(TidemarkError) {
        tls.pending += try tls.outgoing()
        guard !tls.pending.isEmpty else { return }
        tls.pending = tls.pending.dropFirst(try sendRaw(tls.pending))
    }

    private func sendRaw(_ bytes: ArraySlice<UInt8>) throws(TidemarkError) -> Int {
        while true {
            let count = unsafe bytes.withUnsafeBytes {
                unsafe Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count >= 0 { return count }
            switch errno {
            case EINTR: continue
            case EAGAIN: return 0
            default: throw unreachable("cannot send to", errno)
            }
        }
    }

    /// Sends everything, waiting at most `seconds`.
    func send(_ bytes: [UInt8], seconds: Double) throws(TidemarkError) {
        let deadline = SocketWait.now() + seconds
        var rest = bytes[...]
        while !rest.isEmpty {
            let sent = try sendSome(rest)
            rest = rest.dropFirst(sent)
            if sent > 0 { continue }
            let left = deadline - SocketWait.now()
            guard left > 0, try wait(POLLOUT, seconds: left) == .ready else {
                throw silent("did not take what was sent", seconds)
            }
        }
    }

    // MARK: waiting

    /// Waits for bytes; takes the wake signal down when that ended the wait.
    func wait(seconds: Double) throws(TidemarkError) -> SocketWait {
        try wait(POLLIN, seconds: seconds)
    }

    private func wait(_ events: Int32, seconds: Double) throws(TidemarkError) -> SocketWait {
        try SocketWait.wait(descriptor, events, wake, seconds: seconds)
    }

    // MARK: failures

    private func unreachable(_ what: String, _ number: Int32) -> TidemarkError {
        Self.unreachable("\(what) Redis at \(place)", number)
    }

    private static func unreachable(_ what: String, _ number: Int32) -> TidemarkError {
        TidemarkError(
            .sourceUnreachable, "\(what) (\(unsafe String(cString: strerror(number))))",
            remedy: "see whether the server runs and the network lets us through")
    }

    /// An error for a server that is there but does not move.
    func silent(_ what: String, _ seconds: Double) -> TidemarkError {
        TidemarkError(
            .sourceUnreachable, "Redis at \(place) \(what) within \(seconds) s",
            remedy: "see whether the server hangs (`redis-cli --latency`) or the network is cut")
    }
}

// MARK: connecting

extension Wire {
    private static func connect(
        _ path: String, _ seconds: Double, _ wake: WakeSignal?
    ) throws(TidemarkError) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        let capacity = MemoryLayout.size(ofValue: address.sun_path) - 1
        guard bytes.count <= capacity else {
            throw TidemarkError(
                .configuration, "the socket path \(path) is longer than \(capacity) bytes",
                remedy: "give the socket a shorter path (`unixsocket` in redis.conf)")
        }
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
        return try unsafe withUnsafePointer(to: &address) { (pointer) throws(TidemarkError) in
            try unsafe open(
                AF_UNIX, UnsafeRawPointer(pointer).assumingMemoryBound(to: sockaddr.self),
                socklen_t(MemoryLayout<sockaddr_un>.size), SocketWait.now() + seconds, wake, path)
        }
    }

    private static func connect(
        _ host: String, _ port: UInt16, _ seconds: Double, _ wake: WakeSignal?, _ place: String
    ) throws(TidemarkError) -> Int32 {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        unsafe hints.ai_flags = AI_ADDRCONFIG
        var list: UnsafeMutablePointer<addrinfo>?
        let status = unsafe getaddrinfo(host, String(port), &hints, &list)
        guard status == 0 else {
            throw TidemarkError(
                .sourceUnreachable,
                "cannot find the host \(host) of Redis "
                    + "(\(unsafe String(cString: gai_strerror(status))))",
                remedy: "check the name in the source's url and the machine's DNS")
        }
        defer { unsafe freeaddrinfo(list) }
        var failure = unreachable("cannot connect to Redis at \(place)", EADDRNOTAVAIL)
        var next = unsafe list
        let deadline = SocketWait.now() + seconds
        while let entry = unsafe next {
            do throws(TidemarkError) {
                let descriptor = try unsafe open(
                    entry.pointee.ai_family, entry.pointee.ai_addr, entry.pointee.ai_addrlen,
                    deadline, wake, place)
                tune(descriptor)
                return descriptor
            } catch {
                failure = error
            }
            unsafe next = entry.pointee.ai_next
        }
        throw failure
    }

    /// A connected, non-blocking socket.
    private static func open(
        _ family: Int32, _ address: UnsafePointer<sockaddr>, _ length: socklen_t,
        _ deadline: Double, _ wake: WakeSignal?, _ place: String
    ) throws(TidemarkError) -> Int32 {
        let type = SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue
        let descriptor = socket(family, Int32(type), 0)
        guard descriptor >= 0 else {
            throw unreachable("cannot open a socket for Redis at \(place)", errno)
        }
        var status = unsafe Glibc.connect(descriptor, address, length) == 0 ? 0 : errno
        if status == EINPROGRESS {
            do throws(TidemarkError) {
                let left = deadline - SocketWait.now()
                let waited = try SocketWait.wait(descriptor, POLLOUT, wake, seconds: left)
                status = waited == .ready ? socketError(descriptor) : ETIMEDOUT
            } catch {
                Glibc.close(descriptor)
                throw error
            }
        }
        guard status == 0 else {
            Glibc.close(descriptor)
            throw unreachable("cannot connect to Redis at \(place)", status)
        }
        return descriptor
    }

    private static func socketError(_ descriptor: Int32) -> Int32 {
        var status: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        unsafe getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &status, &length)
        return status
    }

    /// ACKs leave at once, and the kernel notices a dead peer within a minute.
    private static func tune(_ descriptor: Int32) {
        set(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
        set(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1)
        set(descriptor, Int32(IPPROTO_TCP), TCP_KEEPIDLE, 20)
        set(descriptor, Int32(IPPROTO_TCP), TCP_KEEPINTVL, 10)
        set(descriptor, Int32(IPPROTO_TCP), TCP_KEEPCNT, 4)
    }

    /// A socket that does not take an option works without it.
    private static func set(_ descriptor: Int32, _ level: Int32, _ name: Int32, _ value: Int32) {
        var value = value
        unsafe setsockopt(descriptor, level, name, &value, socklen_t(MemoryLayout<Int32>.size))
    }
}
