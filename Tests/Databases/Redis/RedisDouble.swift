import Glibc
import Model
import Platform
import TestKit

/// A server that says to PSYNC what a test wants, in exactly the pieces that it wants, on a unix
/// socket: there the sender can see that a piece was read before it sends the next.
final class RedisDouble: Sendable {
    /// What it says.
    struct Script: Sendable {
        /// Fields of INFO; nil when it is not allowed.
        var info: String?
        /// Behind PSYNC, each read on its own.
        var pieces: [[UInt8]] = []
        /// Seconds before each piece.
        var pause = 0.0
        /// Behind the first ACK.
        var acknowledged: [UInt8] = []
    }

    private let scratch: ScratchDirectory
    private let listener: Int32
    private let script: Script
    private let heard = Monitor<[String]>([])
    private let threads = Monitor<[DedicatedThread<Void>]>([])
    private let sockets = Monitor<[Int32]>([])

    init(_ script: Script) throws {
        self.script = script
        scratch = try ScratchDirectory()
        listener = try Self.listen(scratch.path + "/redis.sock")
        let serving = Serving(script: script, heard: heard, threads: threads, sockets: sockets)
        let listener = listener
        let accepting = DedicatedThread("double-accept") { () throws(TidemarkError) in
            while true {
                let socket = accept(listener, nil, nil)
                guard socket >= 0 else { return }
                serving.serve(socket)
            }
        }
        threads.update { $0.append(accepting) }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        for socket in sockets.read({ $0 }) { shutdown(socket, Int32(SHUT_RDWR)) }
        for thread in threads.read({ $0 }) { try? thread.join() }
        for socket in sockets.read({ $0 }) { close(socket) }
        close(listener)
    }

    var url: String { "redis+unix://\(scratch.path)/redis.sock" }

    /// The commands that it was sent, in order.
    var commands: [String] { heard.read { $0 } }

    private static func listen(_ path: String) throws -> Int32 {
        let made = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var place = sockaddr_un()
        place.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &place.sun_path) { $0.copyBytes(from: path.utf8) }
        let isBound = withUnsafePointer(to: &place) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(made, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
        guard isBound, Glibc.listen(made, 16) == 0 else {
            throw TidemarkError(.failed, "the double cannot listen at \(path)")
        }
        return made
    }

    /// One connection after the other, each on a thread of its own.
    private struct Serving: Sendable {
        let script: Script
        let heard: Monitor<[String]>
        let threads: Monitor<[DedicatedThread<Void>]>
        let sockets: Monitor<[Int32]>

        func serve(_ socket: Int32) {
            sockets.update { $0.append(socket) }
            let thread = DedicatedThread("double-serve") { () throws(TidemarkError) in
                var input: [UInt8] = []
                var hasAcknowledged = false
                while let words = Self.command(socket, &input) {
                    heard.update { $0.append(words.joined(separator: " ")) }
                    if words.starts(with: ["REPLCONF", "ACK"]) {
                        if !hasAcknowledged { Self.send(socket, script.acknowledged) }
                        hasAcknowledged = true
                    } else if words[0] == "PSYNC" {
                        for piece in script.pieces where !piece.isEmpty {
                            poll(nil, 0, Int32(script.pause * 1000))
                            Self.send(socket, piece)
                        }
                    } else {
                        Self.send(socket, Array(answer(words).utf8))
                    }
                }
            }
            threads.update { $0.append(thread) }
        }

        private func answer(_ words: [String]) -> String {
            switch words[0] {
            case "INFO":
                script.info.map { "$\($0.utf8.count)\r\n\($0)\r\n" }
                    ?? "-NOPERM this user has no permissions to run the 'info' command\r\n"
            case "TIME": "*2\r\n$10\r\n1700000000\r\n$1\r\n0\r\n"
            case "CLIENT", "REPLCONF": "+OK\r\n"
            default: "-ERR unknown command\r\n"
            }
        }

        /// Returns when the other side has read all of it.
        private static func send(_ socket: Int32, _ bytes: [UInt8]) {
            guard Glibc.send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL)) > 0 else {
                return
            }
            var left: Int32 = 1
            while left > 0, ioctl(socket, UInt(TIOCOUTQ), &left) == 0 {
                if left > 0 { sched_yield() }
            }
        }

        /// The next command; nil when the connection is closed.
        private static func command(_ socket: Int32, _ input: inout [UInt8]) -> [String]? {
            while true {
                if let (words, count) = whole(input) {
                    input.removeFirst(count)
                    return words
                }
                var bytes = [UInt8](repeating: 0, count: 4096)
                let count = recv(socket, &bytes, bytes.count, 0)
                guard count > 0 else { return nil }
                input += bytes[..<count]
            }
        }

        /// Words that hold no line end, as those of a handshake do.
        private static func whole(_ input: [UInt8]) -> ([String], Int)? {
            var words: [String] = []
            var place = input.startIndex
            func line() -> String? {
                guard let end = input[place...].firstIndex(of: 10) else { return nil }
                defer { place = end + 1 }
                return String(decoding: input[place..<end].filter { $0 != 13 }, as: UTF8.self)
            }
            guard let head = line(), let count = Int(head.dropFirst()) else { return nil }
            for _ in 0..<count {
                guard line() != nil, let word = line() else { return nil }
                words.append(word)
            }
            return (words, place)
        }
    }
}

extension RedisDouble {
    /// Its history, at offset 1000.
    static let history = String(repeating: "a", count: 40)

    /// INFO as a primary answers it.
    static func info(hasBacklog: Bool, version: String = "7.0.15") -> String {
        """
        redis_version:\(version)\r
        role:master\r
        master_replid:\(history)\r
        master_repl_offset:1000\r
        second_repl_offset:-1\r
        repl_backlog_active:\(hasBacklog ? 1 : 0)\r
        repl_backlog_size:1048576\r
        repl_backlog_first_byte_offset:1\r
        repl_backlog_histlen:\(hasBacklog ? 1000 : 0)\r

        """
    }

    /// An RDB of no keys that tells its place in the history, without a checksum.
    static func rdb(id: String = history, offset: Int = 1000) -> [UInt8] {
        var bytes = Array("REDIS0010".utf8)
        for (name, value) in [
            ("redis-ver", "7.0.15"), ("repl-stream-db", "0"), ("repl-id", id),
            ("repl-offset", "\(offset)"),
        ] {
            bytes.append(0xfa)
            for text in [name, value] {
                bytes.append(UInt8(text.utf8.count))
                bytes += text.utf8
            }
        }
        return bytes + [0xff] + [UInt8](repeating: 0, count: 8)
    }
}
