import Glibc
import Model
import Platform

/// A connection that a replica has made to us: we listen, it comes, and we are its primary.
///
/// Owned by one thread; every wait has a limit.
@safe
struct ReplicaLink: ~Copyable {
    /// Where the replica has to connect to.
    let port: UInt16
    private let listener: Int32
    private var peer: Int32 = -1
    private var words = ReplicaWords()
    /// What the replica has said and nobody has taken yet, the newest at the end.
    private var commands: [[String]] = []
    /// Seconds without a sign of life after which the replica is given up.
    private let patience: Double

    /// Seconds of `patience` unless told otherwise. How long a replica loads has no limit of its
    /// own: it says a newline a second meanwhile.
    static let usualPatience = 60.0
    /// A replica repeats its ACK each second; only the newest ones matter.
    private static let commandLimit = 64

    /// Listens on a free port of one of our addresses.
    init(host: String, patience: Double = usualPatience) throws(TidemarkError) {
        self.patience = patience
        var hints = unsafe addrinfo()
        unsafe hints.ai_flags = AI_NUMERICHOST | AI_PASSIVE
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard unsafe getaddrinfo(host, "0", &hints, &found) == 0, let info = unsafe found else {
            throw Self.failure("cannot listen on \(host)", EINVAL)
        }
        defer { unsafe freeaddrinfo(found) }
        let made = unsafe socket(
            info.pointee.ai_family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard made >= 0 else { throw Self.failure("cannot make a socket", errno) }
        guard unsafe bind(made, info.pointee.ai_addr, info.pointee.ai_addrlen) == 0,
            listen(made, 8) == 0, let port = Self.port(of: made)
        else {
            let number = errno
            Glibc.close(made)
            throw Self.failure("cannot listen on \(host)", number)
        }
        listener = made
        self.port = port
    }

    deinit {
        if peer >= 0 { Glibc.close(peer) }
        Glibc.close(listener)
    }

    private static func port(of descriptor: Int32) -> UInt16? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let status = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getsockname(descriptor, $0, &length)
            }
        }
        guard status == 0 else { return nil }
        // The port stands at the same place in both families.
        return unsafe withUnsafeBytes(of: storage) { bytes in
            unsafe UInt16(bytes[2]) << 8 | UInt16(bytes[3])
        }
    }

    /// Waits for the replica, which connects from `host`; all data goes to it, so nobody else is
    /// listened to.
    mutating func accept(from host: String) throws(TidemarkError) {
        let deadline = SocketWait.now() + patience
        var strangers: Set<String> = []
        while true {
            let others =
                strangers.isEmpty
                ? "" : " (others did: \(strangers.sorted().joined(separator: ", ")))"
            try wait(
                listener, POLLIN, "the server at \(host) did not connect as a replica" + others,
                deadline)
            let made = Glibc.accept(listener, nil, nil)
            guard made >= 0 else {
                if errno == EINTR || errno == ECONNABORTED { continue }
                throw Self.failure("cannot take the replica's connection", errno)
            }
            let from = SocketHost.peer(made) ?? ""
            if from == host {
                peer = made
                return
            }
            Glibc.close(made)
            if strangers.count < Self.strangerLimit { strangers.insert(from) }
        }
    }

    /// Strangers that are named.
    private static let strangerLimit = 8

    /// Sends everything. A replica that loads takes nothing for as long as that lasts; what it says
    /// meanwhile is heard, and keeps it from being given up.
    mutating func send(_ bytes: RawSpan) throws(TidemarkError) {
        var from = 0
        var deadline = SocketWait.now() + patience
        while from < bytes.byteCount {
            let count = unsafe bytes.extracting(from..<bytes.byteCount).withUnsafeBytes {
                unsafe Glibc.send(
                    peer, $0.baseAddress, $0.count,
                    Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
            }
            if count > 0 {
                from += count
                deadline = SocketWait.now() + patience
            } else if count < 0, errno == EAGAIN {
                try wait(peer, POLLOUT | POLLIN, "the replica takes no more bytes", deadline)
                if try hear() { deadline = SocketWait.now() + patience }
            } else if count < 0, errno != EINTR {
                throw Self.failure("the replica has left", errno)
            }
        }
    }

    mutating func send(_ text: String) throws(TidemarkError) {
        let bytes = Array(text.utf8)
        try send(unsafe bytes.span.bytes)
    }

    /// The next command of the replica; waits for it.
    mutating func command() throws(TidemarkError) -> [String] {
        var deadline = SocketWait.now() + patience
        while commands.isEmpty {
            try wait(peer, POLLIN, "the replica says nothing", deadline)
            if try hear() { deadline = SocketWait.now() + patience }
        }
        return commands.removeFirst()
    }

    /// Takes what the replica has said; false when it has said nothing.
    private mutating func hear() throws(TidemarkError) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = unsafe buffer.withUnsafeMutableBytes {
            unsafe recv(peer, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT))
        }
        if count == 0 { throw Self.failure("the replica has left", ECONNRESET) }
        guard count > 0 else {
            guard errno == EINTR || errno == EAGAIN else {
                throw Self.failure("the replica has left", errno)
            }
            return false
        }
        words.add(Array(buffer[..<count]))
        while let command = try words.next() {
            if commands.count == Self.commandLimit { commands.removeFirst() }
            commands.append(command)
        }
        return true
    }

    private func wait(
        _ descriptor: Int32, _ events: Int32, _ problem: String, _ deadline: Double
    ) throws(TidemarkError) {
        while true {
            let left = deadline - SocketWait.now()
            guard left > 0 else {
                throw Self.failure("\(problem) within \(Int(patience.rounded(.up))) s", ETIMEDOUT)
            }
            // A signal cuts the wait short: then it is neither over nor in vain.
            if try SocketWait.wait(descriptor, events, nil, seconds: left) == .ready { return }
        }
    }

    private static func failure(_ what: String, _ number: Int32) -> TidemarkError {
        TidemarkError(
            .failed, "\(what) (\(unsafe String(cString: strerror(number))))",
            remedy: "see the log of the server that is being filled; it must reach this machine, "
                + "and `tls-replication` must be off for the time of the restore")
    }
}
