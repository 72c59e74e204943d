import Model
import Platform
import TestKit
import Testing

/// Commands that take much away, around the places where the stream is cut into segments.
@Suite(.timeLimit(.minutes(5)))
struct EventSeamTests {
    /// A transaction of more than a segment (16 MiB), with something destructive in its midst.
    private static func transaction(_ round: Int) -> [UInt8] {
        let big = String(repeating: "v", count: 3 << 20)
        let before = (0..<3).map { ["SET", "big:\($0)", big] }
        let after = (3..<7).map { ["SET", "big:\($0)", big] }
        let keys = (0..<150).map { "many:\($0)" }
        return
            ([["SELECT", "\(round)"]] + keys.map { ["SET", $0, "1"] } + [["MULTI"]] + before
            + [["DEL"] + keys, ["FLUSHDB"]] + after + [["EXEC"]]).flatMap(resp)
    }

    @Test func `what a transaction larger than a segment takes away is found once`() async throws {
        try await offPool {
            let server = try RedisServer.start(["repl-backlog-size 128mb"])
            let port = try freePort()
            let harness = try ArchiveHarness(server)
            try harness.watch(port)
            let sidecar = try harness.startWithBackup()
            for round in 1...3 { try server.pipe(Self.transaction(round)) }
            try server.command("SET", "last", "1")
            try harness.waitArchived()
            let shown = try AxisReport.wait(port, events: 6)
            #expect(shown.map(\.action) == (0..<3).flatMap { _ in ["DEL of 150 keys", "FLUSHDB"] })
            #expect(
                shown.map(\.place) == (1...3).flatMap { ["database \($0)", "database \($0)"] })
            // Both lie in one transaction, so before both is before its MULTI.
            #expect(Set(shown.map(\.position)).count == 3)
            let listed = try harness.expect(0, ["find"])
            for event in shown { #expect(listed.contains(event.id), "\(event) in \(listed)") }
            #expect(
                try harness.files("sessions/stream").filter { $0.hasSuffix(".resp.lz4") }.count
                    >= 2,
                "the stream was not cut into segments")

            // Nothing of the transaction is there just before it.
            let first = try #require(shown.last)
            let copy = try harness.loaded(to: "before:" + first.id)
            #expect(try copy.command("-n", "3", "EXISTS", "many:7") == "1")
            #expect(try copy.command("-n", "3", "EXISTS", "big:0") == "0")
            #expect(try sidecar.terminate().isSuccess)
        }
    }
}
