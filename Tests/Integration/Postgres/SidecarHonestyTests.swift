import Glibc
import Model
import Platform
import TestKit
import Testing

/// The number that is shown is never too good: what a restore brings back is no older than that.
@Suite(.serialized, .timeLimit(.minutes(60)))
struct SidecarHonestyTests {
    /// 2; `TIDEMARK_HONESTY_ROUNDS` says otherwise (200 is the goal's).
    private static let rounds =
        getenv("TIDEMARK_HONESTY_ROUNDS").flatMap { Int(String(cString: $0)) } ?? 2

    /// `TIDEMARK_HONESTY_SEED` repeats a run's pauses.
    private static let seed =
        getenv("TIDEMARK_HONESTY_SEED").flatMap { UInt64(String(cString: $0)) }
        ?? UInt64.random(in: 1...1_000_000_000)

    /// Rounds after which a base backup is taken anew, under load: a restore replays no more than
    /// those.
    private static let backupRounds = 8

    /// What was shown last before the kill.
    private struct Shown {
        var at: Double
        var exposure: Double
    }

    @Test func `sidecar and source killed under load, no more is lost than was shown`()
        async throws
    {
        try await offPool {
            let comment = Comment(rawValue: "TIDEMARK_HONESTY_SEED=\(Self.seed)")
            let server = try PostgresServer.start(
                .init(settings: ["wal_keep_size = '4GB'"], segmentMebibytes: 1))
            let watched = try MonitoredSidecar(server)
            var random = SeededRandom(seed: Self.seed)
            for round in 0..<Self.rounds {
                if round > 0 { try server.start() }
                let ledger = try SidecarLedger(server, round: round)
                let sidecar =
                    try round == 0 ? watched.side.startWithBackup() : watched.side.start()
                try watched.waitHealth(200)
                if round > 0, round % Self.backupRounds == 0 {
                    try watched.side.expect(0, ["backup"])
                }
                let pause = Double.random(in: 0.3...2.5, using: &random)
                let (shown, acknowledged) = try watch(watched, ledger, seconds: pause)
                // Either first, and the other at once or some moments later.
                let later = Int32.random(in: -200...200, using: &random)
                if Bool.random(using: &random) {
                    sidecar.kill9()
                    poll(nil, 0, max(0, later))
                    try server.kill9()
                } else {
                    try server.kill9()
                    poll(nil, 0, max(0, later))
                    sidecar.kill9()
                }
                let owed = acknowledged.last { $0.at <= shown.at - shown.exposure }?.id ?? 0
                #expect(owed > 0, comment)
                let missing = try watched.side.restored(
                    to: "latest", name: "copy-\(round)", comment
                ) {
                    try watched.side.ask(
                        $0,
                        """
                        select count(*) from generate_series(1, \(owed)) as i
                        where i in (\(acknowledgedIDs(acknowledged, owed)))
                            and not exists (select from ledger where id = i)
                        """)
                }
                #expect(missing == "0", comment)
                try server.run(
                    "/bin/rm", ["-r", "\(watched.side.folder)/copy-\(round)"])
            }
        }
    }

    private func acknowledgedIDs(_ samples: [Sample], _ owed: Int) -> String {
        (samples.last?.ids ?? []).filter { $0 <= owed }.map(String.init).joined(separator: ",")
    }

    /// What the ledger's client had been told at a moment.
    private struct Sample {
        var at: Double
        var id: Int
        var ids: [Int]
    }

    /// Notes what was acknowledged when, and what is shown at the very end.
    private func watch(
        _ watched: MonitoredSidecar, _ ledger: SidecarLedger, seconds: Double
    ) throws -> (Shown, [Sample]) {
        let end = SocketWait.now() + seconds
        var samples: [Sample] = []
        while true {
            let asked = SocketWait.now()
            let ids = try ledger.acknowledged()
            // Told before the answer came, at the latest.
            if let last = ids.last {
                samples.append(Sample(at: SocketWait.now(), id: last, ids: ids))
            }
            guard asked >= end, samples.count > 3 else {
                poll(nil, 0, 20)
                continue
            }
            let before = SocketWait.now()
            guard let exposure = try watched.metric("tidemark_exposure_seconds") else { continue }
            let shown = Shown(at: before, exposure: exposure)
            let isOwed = samples.contains { $0.at <= shown.at - exposure }
            if isOwed { return (shown, samples) }
        }
    }
}
