import Glibc
import Model
import Platform
import Postgres
import TestKit
import Testing

@Suite(.serialized, .timeLimit(.minutes(20)))
struct SidecarCrashTests {
    /// 6; `TIDEMARK_CRASH_ROUNDS` says otherwise.
    private static let rounds =
        getenv("TIDEMARK_CRASH_ROUNDS").flatMap {
            Int(String(cString: $0))
        } ?? 6

    /// `TIDEMARK_CRASH_SEED` repeats a run.
    private static let seed =
        getenv("TIDEMARK_CRASH_SEED").flatMap {
            UInt64(String(cString: $0))
        } ?? UInt64.random(in: 1...1_000_000_000)

    @Test
    func `killed at random moments under load it loses no byte and no acknowledged commit`()
        async throws
    {
        try await offPool {
            let comment = Comment(rawValue: "TIDEMARK_CRASH_SEED=\(Self.seed)")
            print("\(Self.rounds) rounds with TIDEMARK_CRASH_SEED=\(Self.seed)")
            let server = try PostgresServer.start(
                .init(settings: ["wal_keep_size = '8GB'"], segmentMebibytes: 1))
            let side = try SidecarHarness(server)
            let ledger = try SidecarLedger(server)
            let peer = try ReceiveWal(server)
            var sidecar = try side.startWithBackup()
            var random = SeededRandom(seed: Self.seed)
            for _ in 0..<Self.rounds {
                let pause = Int32.random(in: 20...1500, using: &random)
                poll(nil, 0, pause)
                sidecar.kill9()
                sidecar = try side.start()
            }
            try sidecar.waitForLog("stream opened")
            let before = try ledger.acknowledged()
            let moment = try side.moment()
            // At least one commit after the moment has to be kept out, and a slow machine gets the
            // time to fill a few segments.
            try eventually("the ledger goes on", seconds: 120) {
                let segments = try side.segments().count
                return try ledger.acknowledged().count > before.count + 20 && segments > 3
            }
            try ledger.stop()
            try side.waitProved(moment)
            try server.psql("select pg_switch_wal()")
            let end = try server.settle()
            try eventually("the archive has the end") {
                try (LSN.parse(side.status().archivedPosition ?? "") ?? 0) >= end
            }
            #expect(try sidecar.terminate().isSuccess, comment)
            #expect(before.count > 50, comment)
            #expect(try side.segments().count > 3, comment)
            try side.expectSameFiles(comment)
            try peer.stop()
            #expect(try side.expectSameAs(peer, comment) > 3, comment)
            #expect(try side.tidemark(["verify", "--deep"]).status.isSuccess, comment)
            try side.restored(to: moment) { url in
                try expectLedger(side, url, before, moment, comment)
            }
        }
    }

    private func expectLedger(
        _ side: SidecarHarness, _ url: String, _ before: [Int], _ moment: String,
        _ comment: Comment
    ) throws {
        let present = Set(
            try side.ask(url, "select id from ledger").split(separator: "\n").compactMap {
                Int($0)
            })
        let missing = before.filter { !present.contains($0) }
        #expect(missing.isEmpty, comment)
        let late = try side.ask(url, "select count(*) from ledger where booked > '\(moment)'")
        #expect(late == "0", comment)
        let port = try #require(url.split(separator: ":").last?.prefix { $0.isNumber })
        try side.server.run(
            "pg_amcheck",
            ["--heapallindexed", "--install-missing", "-p", String(port), "-d", "postgres"])
    }
}
