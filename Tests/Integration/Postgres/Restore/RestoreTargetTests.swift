import Model
import Platform
import Repository
import TestKit
import Testing

@Suite(.timeLimit(.minutes(5))) struct `A restore reaches its target` {
    @Test func `whatever form it has, and names the nearest when it cannot`() async throws {
        try await offPool {
            let fixture = try RestoreFixture()
            let early = try fixture.backups()[0].started
            _ = try fixture.sql("create table t(i int)")
            _ = try fixture.sql("insert into t select generate_series(1, 10)")
            let between = try fixture.now()
            _ = try fixture.sql("insert into t select generate_series(11, 20)")
            let position = try fixture.sql("select pg_current_wal_lsn()")
            let transaction = try fixture.sql(
                "begin; insert into t values (21); select txid_current(); commit")
            _ = try fixture.sql("select pg_create_restore_point('here')")
            _ = try fixture.sql("insert into t values (22)")
            // As a mark that fails half way, made again, leaves it: the noted place is what counts.
            _ = try fixture.sql("select pg_create_restore_point('twice')")
            _ = try fixture.sql("insert into t values (22)")
            let marked = try TidemarkProcess.run(
                ["--config", fixture.repository + "/../tidemark.yml", "mark", "twice"],
                user: PostgresTools.user)
            #expect(marked.status.isSuccess, "\(marked.errors)")
            for _ in 0..<2 { _ = try fixture.sql("select pg_create_restore_point('unnoted')") }
            // Enough for several segments, and a commit as the last thing there is.
            _ = try fixture.sql(
                "create table w as select repeat('x', 500) x from generate_series(1, 8000)")
            _ = try fixture.sql("insert into t values (23)")
            let last = try fixture.now()
            try fixture.settle()

            let count = "select count(*) from t"
            #expect(try fixture.answer(count, at: between).answer == "10")
            #expect(try fixture.answer(count, at: "lsn:" + position).answer == "20")
            #expect(try fixture.answer(count, at: "xid:" + transaction).answer == "21")
            #expect(try fixture.answer(count, at: "point:here").answer == "21")
            #expect(try fixture.answer(count, at: "point:twice").answer == "23")
            let unclear = try fixture.answer(count, at: "point:unnoted").done
            #expect(unclear.exitStatus == 3)
            #expect(unclear.errors.contains("2 restore points"), "\(unclear.errors)")
            #expect(unclear.errors.split(separator: "lsn:").count == 3, "\(unclear.errors)")
            // Behind the last commit, where Postgres's own recovery_target_time is FATAL.
            #expect(try fixture.answer(count, at: last).answer == "24")
            #expect(try fixture.answer(count, at: "latest").answer == "24")

            for target in [
                early.text(fractionDigits: 6), "2031-01-01T00:00:00Z", "lsn:0/10", "lsn:F/0",
                "xid:4000000", "point:nowhere",
            ] {
                let done = try fixture.answer(count, at: target).done
                #expect(done.exitStatus == 3, "\(target): \(done.errors)")
                #expect(done.errors.contains("Z"), "\(done.errors)")
            }
            #expect(try fixture.answer(count, at: "before:some-event").done.exitStatus == 2)
        }
    }

    @Test func `nothing is marked that no sidecar archives`() async throws {
        try await offPool {
            let fixture = try RestoreFixture.archived()
            try eventually("what the killed sidecar left is no sign of life") {
                let left = try fixture.archive.watermark(RestoreFixture.source)
                return try #require(left).isLive(SystemTimeSource().reading()) == false
            }
            let done = try TidemarkProcess.run(
                ["--config", fixture.repository + "/../tidemark.yml", "mark", "lost"],
                user: PostgresTools.user)
            #expect(done.exitStatus == 1)
            #expect(done.errors.contains("no sidecar archives ledger"), "\(done.errors)")
            #expect(done.errors.contains("tidemark run"), "\(done.errors)")
            #expect(try fixture.archive.point(RestoreFixture.source, "lost") == nil)
        }
    }

    @Test func `while the archive is still being written`() async throws {
        try await offPool {
            let fixture = try RestoreFixture()
            _ = try fixture.sql("create table t(i int)")
            _ = try fixture.sql("insert into t values (1)")
            let moment = try fixture.now()
            try fixture.settle()
            // Later commits arrive between planning and recovery; they must not be there.
            _ = try fixture.sql("insert into t values (2)")
            #expect(try fixture.answer("select count(*) from t", at: moment).answer == "1")
        }
    }

    /// Postgres's own judge of a data directory that was restored and not started, with the WAL
    /// that the archive has for it.
    private func expectVerified(_ fixture: RestoreFixture, _ old: String) throws {
        let server = fixture.server
        let folder = try server.makeDirectory("judged")
        let space = try server.makeDirectory("judged space")
        let done = try fixture.restore(
            to: "latest", into: folder, ["--tablespace", "\(old)=\(space)"])
        #expect(done.exitStatus == 0, "\(done.errors)")
        let export = try TidemarkProcess.run(
            [
                "export", "ledger", "--to", "latest", "--into", folder + "/export", "--config",
                fixture.configuration,
            ], user: PostgresTools.user)
        #expect(export.exitStatus == 0, "\(export.errors)")
        // The first start makes the links; the map names the new place.
        let oid = try fixture.sql("select oid from pg_tablespace where spcname = 'fast'")
        try server.run("/bin/ln", ["-s", space, folder + "/ledger/pg_tblspc/" + oid])
        try server.run(
            "/bin/sh",
            [
                "-c",
                "for f in \"$0\"/*.partial; do [ ! -e \"$f\" ] || mv \"$f\" \"${f%.partial}\"; done",
                folder + "/export",
            ])
        try server.run(
            "pg_verifybackup",
            ["-i", "tablespace_map", "-w", folder + "/export", folder + "/ledger"])
        // A judge that says yes to everything is none.
        TextFile.flipBit(folder + "/ledger/pg_xact/0000")
        #expect(throws: TidemarkError.self) {
            try server.run(
                "pg_verifybackup",
                ["-i", "tablespace_map", "-w", folder + "/export", folder + "/ledger"])
        }
    }

    @Test func `with the tablespaces in other places`() async throws {
        try await offPool {
            let fixture = try RestoreFixture()
            let old = try fixture.server.makeDirectory("old space")
            let new = try fixture.server.makeDirectory("new \\ space")
            _ = try fixture.sql("create tablespace fast location '\(old)'")
            _ = try fixture.sql("create table t tablespace fast as select 7 as i")
            let before = try fixture.backups().count
            let done = try TidemarkProcess.run(
                ["--config", fixture.repository + "/../tidemark.yml", "backup", "ledger"],
                user: PostgresTools.user)
            #expect(done.status.isSuccess, "\(done.errors)")
            #expect(try fixture.backups().count == before + 1)
            try fixture.settle()

            let query =
                "select i from t; select pg_tablespace_location(oid) "
                + "from pg_tablespace where spcname = 'fast'"
            let occupied = try fixture.answer(query, at: "latest").done
            #expect(occupied.exitStatus == 2)
            #expect(occupied.errors.contains("--tablespace \(old)="), "\(occupied.errors)")
            let moved = try fixture.answer(query, at: "latest", ["--tablespace", "\(old)=\(new)"])
            #expect(moved.answer == "7\n\(new)", "\(moved.done.errors)")
            try expectVerified(fixture, old)
        }
    }
}
