import Glibc
import Model
import Platform
import Redis
import TestKit
import Testing

/// A hung server, and a stream whose owner was held up: they are told apart.
struct SilenceTests {
    /// A clock that jumps once, at the reading that the test chooses.
    private final class JumpingTime: TimeSource {
        private let state = Monitor((left: Int?.none, ahead: 0.0))
        private let system = SystemTimeSource()

        /// An hour passes just before the reading of that number.
        func jump(before readings: Int) { state.update { $0.left = readings } }

        func monotonic() -> MonotonicTime {
            let ahead = state.update {
                if let left = $0.left {
                    $0.left = left > 1 ? left - 1 : nil
                    if left <= 1 { $0.ahead += 3600 }
                }
                return $0.ahead
            }
            return system.monotonic().advanced(bySeconds: ahead)
        }

        func wall() -> CommitTime { system.wall() }
    }

    private func stream(_ server: RedisServer, _ time: any TimeSource) throws -> any ChangeSource {
        RedisRoom(try RedisConfiguration(source: testSource, url: server.url), time: time).stream()
    }

    @Test func `whenever a stall comes, what waits in the socket is read first`() async throws {
        try await offPool {
            let server = try RedisServer.start()
            for readings in 1...6 {
                let time = JumpingTime()
                let stream = try stream(server, time)
                defer { stream.close() }
                _ = try stream.open(ResumePoint(descriptor: nil, end: nil))
                let sink = RecordingSink()
                time.jump(before: readings)
                for round in 0..<3 {
                    _ = try stream.pull(
                        until: time.monotonic().advanced(bySeconds: 0.02), into: sink)
                    try server.command("SET", "k", "\(readings)-\(round)")
                }
                try stream.follow(sink) { sink.text.contains("\(readings)-2") }
            }
        }
    }

    @Test func `a server that sends no PING is given up`() async throws {
        try await offPool {
            let server = try RedisServer.start()
            let time = SimulatedTime()
            let stream = try stream(server, time)
            defer { stream.close() }
            _ = try stream.open(ResumePoint(descriptor: nil, end: nil))
            let sink = RecordingSink()
            let process = try #require(server.pid)
            kill(process, SIGSTOP)
            defer { kill(process, SIGCONT) }
            while try stream.pull(until: time.monotonic(), into: sink) != .idle {}
            for _ in 0..<5 {
                time.advance(10)
                #expect(try stream.pull(until: time.monotonic(), into: sink) == .idle)
            }
            time.advance(10)
            let error = #expect(throws: TidemarkError.self) {
                try stream.pull(until: time.monotonic(), into: sink)
            }
            #expect(error?.message.contains("sent no PING") == true)
        }
    }
}
