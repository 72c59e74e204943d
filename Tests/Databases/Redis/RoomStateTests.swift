import Model
import Platform
import TestKit
import Testing

@testable import Redis

struct RoomStateTests {
    @Test func `a thirteenth full resync within an hour is not asked for`() throws {
        let state = RoomState()
        func at(_ seconds: Double) -> MonotonicTime {
            MonotonicTime(nanoseconds: 0).advanced(bySeconds: seconds)
        }
        for number in 0..<12 { try state.countFullResync(at(Double(number) * 60), place: "here") }
        let refused = #expect(throws: TidemarkError.self) {
            try state.countFullResync(at(3500), place: "here")
        }
        #expect(refused?.code == .sourceUnreachable)
        #expect(refused?.remedy.contains("repl-backlog-size") == true)
        try state.countFullResync(at(3601), place: "here")
    }

    @Test func `what earlier processes asked for counts, and counts once`() throws {
        let time = SimulatedTime(monotonic: MonotonicTime(nanoseconds: 60_000_000_000))
        let wall = time.wall()
        // The machine was started a minute ago; two are older than an hour, one has a wrong clock.
        let copies = [-7000, -3601, -3599, -1800, -90, -30, 500.0].map {
            wall.advanced(bySeconds: $0)
        }
        let state = RoomState()
        for _ in 0..<3 { state.recall(copies, time) }
        for _ in 0..<8 { try state.countFullResync(time.monotonic(), place: "here") }
        #expect(throws: TidemarkError.self) {
            try state.countFullResync(time.monotonic(), place: "here")
        }
        time.advance(2)
        try state.countFullResync(time.monotonic(), place: "here")
        #expect(throws: TidemarkError.self) {
            try state.countFullResync(time.monotonic(), place: "here")
        }
    }

    @Test func `base backups have a limit of their own and never hold up the stream`() throws {
        let state = RoomState()
        let now = MonotonicTime(nanoseconds: 0)
        for _ in 0..<12 { try state.countFullResync(for: .baseBackup, now, place: "here") }
        let refused = #expect(throws: TidemarkError.self) {
            try state.countFullResync(for: .baseBackup, now, place: "here")
        }
        #expect(refused?.message.contains("12 base backups") == true)
        for _ in 0..<12 { try state.countFullResync(now, place: "here") }
        #expect(throws: TidemarkError.self) { try state.countFullResync(now, place: "here") }
    }

    @Test func `a stream that would need one more is not begun`() async throws {
        try await offPool {
            let server = try RedisDouble(.init(info: RedisDouble.info(hasBacklog: false)))
            var resume = ResumePoint(descriptor: nil, end: nil)
            resume.copies = (0..<12).map { clock.wall().advanced(bySeconds: -60 * Double($0)) }
            let failure = #expect(throws: TidemarkError.self) {
                try room(server.url).stream().open(resume)
            }
            #expect(failure?.message.contains("had 12 full resyncs") == true)
            #expect(!server.commands.contains { $0.hasPrefix("PSYNC") })
        }
    }
}
