import Model
import Platform
import Repository
import Storage
import TestKit
import Testing

/// A source whose clock is wrong, on a network that is slow one way.
@Suite(.timeLimit(.minutes(4)))
struct SourceClockTests {
    @Test(arguments: [90, -90] as [Int64])
    func `a time is the source's, however the answers to TIME are held up`(
        _ ahead: Int64
    ) async throws {
        try await offPool {
            let server = try RedisServer.start(["repl-backlog-size 64mb"])
            let relay = try RedisClockRelay(server, aheadBy: ahead)
            let harness = try ArchiveHarness(server, url: relay.url)
            let sidecar = try harness.startWithBackup()
            func moment() throws -> CommitTime {
                try harness.moment().advanced(bySeconds: Double(ahead))
            }
            // Every second one would set a clock that believes in the middle 0.6 s back, and every
            // other one as much ahead.
            relay.holdUp([.init(answer: 1.2), .init(question: 1.2)])
            var moments: [CommitTime] = []
            for _ in 0..<20 {
                try server.command("INCR", "n")
                harness.pause(0.15)
                moments.append(try moment())
                harness.pause(0.15)
            }
            try server.command("FLUSHALL")
            let last = try moment()
            try harness.waitProved(last)
            let mark = try watermark(harness)
            relay.holdUp([])
            #expect(try sidecar.terminate().isSuccess)

            let offset = try #require(mark.clockOffsetSeconds)
            let error = try #require(mark.clockErrorSeconds)
            #expect(abs(offset - Double(ahead)) <= error + 0.000002, "\(offset) ± \(error)")
            #expect(error >= 0.6 && error < 2, "\(error)")
            for place in [2, 7, 12, 17] {
                let target = moments[place].text(fractionDigits: 6)
                let copy = try RedisServer.start()
                try harness.expect(
                    0, ["restore", "--to", target, "--into", "sessions=" + copy.url])
                #expect(try copy.command("GET", "n") == "\(place + 1)")
            }
        }
    }

    private func watermark(_ harness: ArchiveHarness) throws -> Watermark {
        let repository = ArchiveRepository(
            try FolderURL("file://" + harness.archive).open(createRoot: false))
        return try #require(try repository.watermark(SourceID("sessions")!))
    }
}
