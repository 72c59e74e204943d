import Model
import Platform
import TestKit
import Testing

/// Moments on a history that a crash parted from another one.
@Suite(.timeLimit(.minutes(5)))
struct ForkRestoreTests {
    @Test func `a moment behind a crash holds what had arrived by then, and nothing else`()
        async throws
    {
        try await offPool {
            let server = try RedisServer.start()
            let harness = try ArchiveHarness(server)
            let sidecar = try harness.startWithBackup()
            let old = try harness.timeline()
            try server.command("SET", "kept1", "1")
            try server.command("SAVE")
            // As long as what comes later, so that a wrong place is an edge too.
            for number in 0..<5 { try server.command("SET", "lost\(number)", "1") }
            try harness.waitArchived()
            server.kill9()
            try server.start()
            try eventually("the new timeline is followed", seconds: 60) {
                try harness.status().timeline != old && harness.status().state == "streaming"
            }
            var moments: [(time: CommitTime, offset: UInt64)] = []
            for number in 0..<8 {
                try server.command("SET", "later\(number)", "1")
                harness.pause(0.3)
                moments.append((try harness.moment(), try server.offset()))
                harness.pause(0.3)
            }
            try harness.waitArchived()
            try harness.waitProved(moments[7].time)
            for number in [0, 3, 6] {
                let text = moments[number].time.text(fractionDigits: 6)
                let copy = try harness.restore(to: text, name: "copy\(number)")
                let keys = try harness.ask(copy, "KEYS", "*").split(separator: "\n").sorted()
                let expected = ["kept1"] + (0...number).map { "later\($0)" }
                #expect(keys.map(String.init) == expected)
            }
            let place = try harness.restore(to: "offset:\(moments[2].offset)", name: "place")
            #expect(try harness.ask(place, "MGET", "later2", "later3") == "1\n")
            #expect(try sidecar.terminate().isSuccess)
        }
    }
}
