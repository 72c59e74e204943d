import Model
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
}
