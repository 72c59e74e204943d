import Glibc
import Model
import Platform
import Postgres
import TestKit
import Testing

/// A quiet server, a hung one, and a stream whose owner was held up: they are told apart.
@Suite(.timeLimit(.minutes(2)))
struct RoomSilenceTests {
    /// A stream on a clock that stands still until the test moves it.
    private struct Quiet {
        let server: PostgresServer
        let time = SimulatedTime()
        let stream: any ChangeSource
        let sink = RecordingSink()

        init() throws {
            server = try PostgresServer.start()
            let room = PostgresRoom(
                try PostgresConfiguration(
                    source: try #require(SourceID("ledger")), url: server.url(), slot: nil),
                time: time)
            stream = room.stream()
            sink.begin(try stream.open(ResumePoint(descriptor: nil, end: nil)).start)
        }

        /// Looks until there is nothing to be read for a while.
        func settle() throws {
            var idle = 0
            while idle < 20 {
                idle = try look() == .idle ? idle + 1 : 0
                poll(nil, 0, 10)
            }
        }

        /// A pull that does not wait.
        @discardableResult
        func look() throws -> StreamTurn {
            let turn = try stream.pull(until: time.monotonic(), into: sink)
            try stream.acknowledge(received: sink.end, durable: sink.end)
            return turn
        }

        /// Half a minute in which nothing comes: the server is asked for a sign of life.
        func ask() throws {
            for _ in 0..<3 {
                time.advance(10)
                #expect(try look() == .idle)
            }
        }
    }

    @Test func `an answer that waits in the socket while a flush blocks is a sign of life`()
        async throws
    {
        try await offPool {
            let quiet = try Quiet()
            defer { quiet.stream.close() }
            try quiet.settle()
            for _ in 0..<3 {
                try quiet.ask()
                // The answer comes within moments; it is read only a minute later.
                poll(nil, 0, 300)
                quiet.time.advance(60)
                #expect(try quiet.look() == .idle)
            }
            try quiet.server.psql("create table t ()")
            try quiet.settle()
            #expect(try quiet.sink.end >= quiet.server.flushed())
        }
    }

    @Test func `a machine that slept finds its server still there`() async throws {
        try await offPool {
            let quiet = try Quiet()
            defer { quiet.stream.close() }
            try quiet.settle()
            for hours in [1.0, 2, 3] {
                quiet.time.advance(hours * 3600)
                for _ in 0..<3 { try quiet.look() }
            }
            try quiet.server.psql("create table t ()")
            try quiet.settle()
            #expect(try quiet.sink.end >= quiet.server.flushed())
        }
    }

    @Test func `a server that does not answer is given up`() async throws {
        try await offPool {
            let quiet = try Quiet()
            defer { quiet.stream.close() }
            try quiet.settle()
            let sender = try #require(
                Int32(try quiet.server.psql("select pid from pg_stat_replication")))
            kill(sender, SIGSTOP)
            defer { kill(sender, SIGCONT) }
            try quiet.ask()
            quiet.time.advance(10)
            #expect(try quiet.look() == .idle)
            quiet.time.advance(10)
            #expect(try quiet.look() == .idle)
            quiet.time.advance(10)
            let error = #expect(throws: TidemarkError.self) { try quiet.look() }
            #expect(error?.code == .sourceUnreachable)
            #expect(error?.message.contains("has said nothing for") == true)
        }
    }
}
