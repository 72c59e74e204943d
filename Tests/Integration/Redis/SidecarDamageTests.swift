import Model
import Platform
import Repository
import Segments
import Storage
import TestKit
import Testing

/// A flipped bit in the open segment: never a torn tail, for nobody.
@Suite(.timeLimit(.minutes(5)))
struct SidecarDamageTests {
    /// A stopped sidecar's archive whose open segment is damaged in its middle.
    private func damaged(_ settings: [String]) throws -> ArchiveHarness {
        let server = try RedisServer.start(settings)
        let harness = try ArchiveHarness(server)
        let sidecar = try harness.startWithBackup()
        for number in 1...6 {
            try server.command("SET", "k\(number)", "\(number)")
            try harness.waitArchived()
        }
        #expect(try sidecar.terminate().isSuccess)
        let open = try open(harness)
        try flipBit(open.path, at: open.end / 2)
        return harness
    }

    /// The open segment, and where its last whole frame ends in the file.
    private func open(_ harness: ArchiveHarness) throws -> (path: String, end: UInt64) {
        let store = try FolderURL("file://" + harness.archive).open(createRoot: false)
        let key = try #require(
            store.list("sessions/stream/").map(\.key).last { $0.name.hasSuffix(".partial") })
        let survey = try SegmentReader.survey(store, key, first: 0, bytes: 0)
        return (harness.archive + "/" + key.path, survey.end)
    }

    private func copies(_ harness: ArchiveHarness) throws -> [String] {
        try harness.files("sessions/stream").filter { $0.contains(".partial.damaged-") }
    }

    @Test func `what the backlog still has is fetched again, and the damaged copy kept`()
        async throws
    {
        try await offPool {
            let harness = try damaged(["repl-backlog-size 1mb"])
            let name = try #require(open(harness).path.split(separator: "/").last)
            for words in [["verify"], ["restore", "--to", "latest", "--into", "sessions=x"]] {
                let said = try harness.expect(4, words)
                #expect(said.contains(name), "\(said)")
            }
            let backup = try harness.backup()
            let sidecar = try harness.start()
            try sidecar.waitForLog("stream opened")
            try harness.server.command("SET", "later", "1")
            try harness.waitArchived()
            #expect(try copies(harness).count == 1)
            let status = try harness.status()
            #expect(status.gaps.isEmpty && status.lastBackup?.id == backup)
            let digest = try harness.server.command("DEBUG", "DIGEST")
            #expect(try sidecar.terminate().isSuccess)
            try harness.expect(0, ["verify", "--deep"])
            #expect(try harness.loaded(to: "latest").command("DEBUG", "DIGEST") == digest)
        }
    }

    @Test func `what the backlog no longer has becomes a gap and a new base backup`() async throws {
        try await offPool {
            let harness = try damaged(["repl-backlog-size 16kb"])
            let lost = try harness.server.offset()
            let value = String(repeating: "v", count: 1000)
            try harness.server.pipe((0..<100).flatMap { resp(["SET", "v\($0)", value]) })
            let sidecar = try harness.start()
            try sidecar.waitForLog("base backup finished", seconds: 90)
            try harness.waitArchived()
            let gap = try #require(harness.status().gaps.first)
            #expect(try harness.status().gaps.count == 1)
            // It begins where the readable part ends, and says so.
            let first = try #require(UInt64(gap.first))
            #expect(first < lost)
            #expect(try copies(harness).count == 1)
            let digest = try harness.server.command("DEBUG", "DIGEST")
            #expect(try sidecar.terminate().isSuccess)
            try harness.expect(3, ["restore", "--to", "offset:\(lost)", "--into", "sessions=x"])
            #expect(try harness.loaded(to: "latest").command("DEBUG", "DIGEST") == digest)
            let early = try harness.loaded(to: "offset:\(first)", name: "early")
            #expect(try Int(early.command("DBSIZE")) ?? 9 < 6)
        }
    }
}
