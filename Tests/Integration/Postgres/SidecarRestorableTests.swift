import Glibc
import Model
import Platform
import TestKit
import Testing

/// What is archived counts only where a base backup makes it restorable.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct SidecarRestorableTests {
    private func expectNothingRestorable(
        _ side: SidecarHarness, state: String, _ words: String
    ) throws {
        let source = try side.status()
        #expect(source.state == state, "\(source.reason)")
        #expect(source.exposureSeconds == nil)
        #expect(source.restorableTo == nil)
        #expect(source.objective == "breached")
        #expect(source.reason.contains(words), "\(source.reason)")
        #expect(try side.expect(6, ["status", "--check"]).contains(words))
    }

    @Test
    func `without a base backup the objective is breached however much streams`() async throws {
        try await offPool {
            let server = try PostgresServer.start()
            let side = try SidecarHarness(server)
            let sidecar = try side.start(["--no-backup"])
            try side.waitProved(side.moment())
            try expectNothingRestorable(side, state: "streaming", "no base backup")
            try side.expect(0, ["backup"])
            try eventually("the exposure is known") {
                try (side.status().exposureSeconds ?? 99) < 3
            }
            try side.expect(0, ["status", "--check"])
            #expect(try sidecar.terminate().isSuccess)
        }
    }

    @Test
    func `a lost file breaches the objective until the next start takes a base backup`()
        async throws
    {
        try await offPool {
            let server = try PostgresServer.start(.init(segmentMebibytes: 1))
            let side = try SidecarHarness(server)
            let sidecar = try side.startWithBackup()
            try server.psql("create table t (s text)")
            for _ in 0..<4 {
                try server.psql("insert into t values ('x'); select pg_switch_wal()")
            }
            try side.waitProved(side.moment())
            try side.expect(0, ["status", "--check"])
            let segments = try side.segments()
            let lost = try #require(segments.dropLast().last)
            #expect(unlink(lost) == 0)
            try expectNothingRestorable(side, state: "streaming", "the archive has lost")
            #expect(try sidecar.terminate().isSuccess)
            let again = try side.start()
            try again.waitForLog("nothing after it can be restored")
            try again.waitForLog("base backup finished", seconds: 90)
            try eventually("the exposure is known") {
                try (side.status().exposureSeconds ?? 99) < 3
            }
            #expect(try again.terminate().isSuccess)
        }
    }

    @Test
    func `a gap stays the state over restarts until a base backup mends it`() async throws {
        try await offPool {
            let server = try PostgresServer.start(
                .init(settings: ["max_wal_size = 32MB", "wal_recycle = off"], segmentMebibytes: 1))
            try server.psql("create table t (s text)")
            let side = try SidecarHarness(server)
            let first = try side.startWithBackup()
            try server.psql("insert into t values ('before')")
            let commit = try side.moment()
            try side.waitProved(commit)
            // Nothing is committed from here on, and that is proved.
            let moment = try side.moment()
            try side.waitProved(moment)
            #expect(try first.terminate().isSuccess)
            try server.psql("select pg_drop_replication_slot('tidemark_ledger')")
            for _ in 0..<3 {
                try server.psql(
                    """
                    insert into t select repeat('x', 1000) from generate_series(1, 3000);
                    select pg_switch_wal(); checkpoint
                    """)
            }
            for _ in 0..<2 {
                let sidecar = try side.start(["--no-backup"])
                try sidecar.waitForLog("stream opened")
                try side.waitProved(side.moment())
                try expectNothingRestorable(side, state: "gap", "history was lost")
                #expect(try sidecar.terminate().isSuccess)
            }
            let sidecar = try side.start()
            try sidecar.waitForLog("base backup finished", seconds: 90)
            try eventually("the state is streaming again") {
                let source = try side.status()
                return source.state == "streaming" && (source.exposureSeconds ?? 99) < 3
            }
            #expect(try sidecar.terminate().isSuccess)
            let rows = try side.restored(to: moment) {
                try side.ask($0, "select string_agg(s, ',') from t")
            }
            #expect(rows == "before")
        }
    }
}
