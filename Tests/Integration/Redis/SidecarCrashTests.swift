import Glibc
import Model
import Platform
import Redis
import Repository
import Segments
import Storage
import TestKit
import Testing

@Suite(.serialized, .timeLimit(.minutes(20)))
struct SidecarCrashTests {
    /// 6; `TIDEMARK_CRASH_ROUNDS` says otherwise.
    private static let rounds =
        getenv("TIDEMARK_CRASH_ROUNDS").flatMap { Int(String(cString: $0)) } ?? 6

    /// `TIDEMARK_CRASH_SEED` repeats a run's pauses.
    private static let seed =
        getenv("TIDEMARK_CRASH_SEED").flatMap { UInt64(String(cString: $0)) }
        ?? UInt64.random(in: 1...1_000_000_000)

    @Test func `killed at random moments under load it has no byte twice and misses none`()
        async throws
    {
        try await offPool {
            let comment = Comment(rawValue: "TIDEMARK_CRASH_SEED=\(Self.seed)")
            print("\(Self.rounds) rounds with TIDEMARK_CRASH_SEED=\(Self.seed)")
            let server = try RedisServer.start([
                "repl-backlog-size 512mb", "client-output-buffer-limit replica 0 0 0",
            ])
            let harness = try ArchiveHarness(server)
            let recorder = try StreamRecorder(server, harness.folder)
            var sidecar = try harness.startWithBackup()
            let load = CounterLoad(server, valueBytes: 1500)
            let waits = AcknowledgedWrites(server)
            var random = SeededRandom(seed: Self.seed)
            for round in 0..<Self.rounds {
                poll(nil, 0, Int32.random(in: 20...1500, using: &random))
                // What had been answered before the kill is in the archive after it.
                let promised = waits.promised
                sidecar.kill9()
                #expect(try archivedEnd(harness) >= promised, "round \(round), \(comment)")
                sidecar = try harness.start()
            }
            try sidecar.waitForLog("stream opened")
            let count = waits.count
            try eventually("another write is acknowledged", seconds: 90) { waits.count > count }
            try load.stop()
            try waits.stop()
            try harness.waitArchived()
            let end = try server.offset()
            let digest = try server.command("DEBUG", "DIGEST")
            try recorder.stop(at: end)
            #expect(try sidecar.terminate().isSuccess, comment)
            try harness.expect(0, ["verify", "--deep"])
            #expect(try harness.status().gaps.isEmpty, comment)
            let folder = harness.archive + "/sessions/stream/" + (try harness.timeline())
            let differences = try recorder.differences(from: folder)
            #expect(differences.isEmpty, "\(differences) \(comment)")
            let copy = try harness.loaded(to: "offset:\(end)")
            #expect(try copy.command("DEBUG", "DIGEST") == digest, comment)
        }
    }

    /// Where the archive's own bytes end, whatever its watermark says.
    private func archivedEnd(_ harness: ArchiveHarness) throws -> UInt64 {
        let repository = ArchiveRepository(
            try FolderURL("file://" + harness.archive).open(createRoot: false))
        let listing = try repository.stream(SourceID("sessions")!, OffsetPositionStyle())
        // Killed before the first byte came, it has left none.
        guard let last = listing.segments.values.compactMap(\.last).first else { return 0 }
        guard last.state == .open else { return last.range.last }
        let survey = try SegmentReader.survey(
            repository.store, last.key, first: last.range.first, bytes: last.range.length)
        return last.range.first + survey.contentBytes
    }
}

/// A client that writes and waits for the archive, again and again.
final class AcknowledgedWrites: Sendable {
    private let state = Monitor((promised: UInt64(0), count: 0, isStopped: false))
    private let thread: DedicatedThread<Bool>

    /// Everything below this offset was acknowledged.
    var promised: UInt64 { state.read { $0.promised } }
    var count: Int { state.read { $0.count } }

    init(_ server: RedisServer) {
        let state = state
        thread = DedicatedThread("waits") { () throws(TidemarkError) in
            while !state.read({ $0.isStopped }) {
                let before = try server.offset()
                let answers = try server.lines("INCR ledger\nWAIT 1 2000\n")
                guard answers.count > 1, answers[1] == "1" else { continue }
                state.update {
                    $0.promised = before
                    $0.count += 1
                }
            }
            return true
        }
    }

    func stop() throws {
        state.update { $0.isStopped = true }
        _ = try thread.join()
    }
}
