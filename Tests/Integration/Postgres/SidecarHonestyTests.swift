import Model
import Platform
import TestKit
import Testing

/// The number that is shown is never too good: what a restore brings back is no older than that.
@Suite(.serialized, .timeLimit(.minutes(60)))
struct SidecarHonestyTests {
    /// Rounds after which a base backup is taken anew, under load: a restore replays no more than
    /// those.
    private static let backupRounds = 8

    @Test func `sidecar and source killed under load, no more is lost than was shown`()
        async throws
    {
        try await offPool {
            let comment = Comment(rawValue: "TIDEMARK_HONESTY_SEED=\(ShownExposure.seed)")
            let server = try PostgresServer.start(
                .init(settings: ["wal_keep_size = '4GB'"], segmentMebibytes: 1))
            let watched = try MonitoredSidecar(server)
            var random = SeededRandom(seed: ShownExposure.seed)
            for round in 0..<ShownExposure.rounds {
                if round > 0 { try server.start() }
                let ledger = try SidecarLedger(server, round: round)
                let sidecar =
                    try round == 0 ? watched.side.startWithBackup() : watched.side.start()
                try watched.waitHealth(200)
                if round > 0, round % Self.backupRounds == 0 {
                    try watched.side.expect(0, ["backup"])
                }
                let owed = try ShownExposure.owed(
                    after: Double.random(in: 0.3...2.5, using: &random), port: watched.port
                ) { try ledger.acknowledged() }
                try ShownExposure.killBoth(sidecar, using: &random) { try server.kill9() }
                let missing = try watched.side.restored(
                    to: "latest", name: "copy-\(round)", comment
                ) {
                    try watched.side.ask(
                        $0,
                        """
                        select count(*) from unnest('{\(owed.map(String.init).joined(separator: ","))}'
                            ::bigint[]) as i where not exists (select from ledger where id = i)
                        """)
                }
                #expect(missing == "0", comment)
                try server.run("/bin/rm", ["-r", "\(watched.side.folder)/copy-\(round)"])
            }
        }
    }
}
