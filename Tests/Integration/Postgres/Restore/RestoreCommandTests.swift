import Glibc
import Model
import Repository
import Platform
import TestKit
import Testing

@Suite(.timeLimit(.minutes(5))) struct `Postgres's own commands` {
    /// Segment numbers of the archive, and the fixture; the sidecar has ended.
    private func archived() throws -> (fixture: RestoreFixture, sealed: [String], open: String?) {
        let fixture = try RestoreFixture()
        _ = try fixture.sql("create table t as select 1 as i")
        for _ in 0..<3 {
            _ = try fixture.sql(
                "insert into t select i from generate_series(1, 30000) i; select pg_switch_wal()")
        }
        _ = try fixture.sql("insert into t values (2)")
        try fixture.settle()
        fixture.stopSidecar()
        let names = try fixture.archive.store.list("ledger/wal/1/").map(\.key.name)
        let open = names.first { $0.hasSuffix(".partial") }
        return (
            fixture, names.filter { $0.hasSuffix(".lz4") }.map { String($0.prefix(24)) },
            open.map { String($0.prefix(24)) }
        )
    }

    private func wal(_ fixture: RestoreFixture, _ words: [String]) throws -> CompletedProcess {
        try TidemarkProcess.run(
            ["wal"] + words.prefix(1)
                + ["--repository", "file://" + fixture.repository, "--source", "ledger"]
                + words.dropFirst(), user: PostgresTools.user)
    }

    @Test func `wal fetch gives whole files, and 1 only for what surely follows nothing`()
        async throws
    {
        try await offPool {
            let (fixture, sealed, open) = try archived()
            let folder = try fixture.server.makeDirectory("fetched")
            let path = folder + "/RECOVERYXLOG"
            func fetch(_ name: String) throws -> Int32 {
                try wal(fixture, ["fetch", name, path]).exitStatus
            }
            #expect(try fetch(sealed[1]) == 0)
            #expect(TextFile.size(path) == 1 << 20)
            #expect(open != nil)
            if let open {
                #expect(try fetch(open) == 0)
                #expect(TextFile.size(path) == 1 << 20)
            }
            #expect(try fetch("000000010000000F00000001") == 1)
            #expect(try fetch("00000002.history") == 1)
            #expect(try fetch("00000002000000000000000F") == 1)

            // Damage, a wrong option and an archive that is not there are never "the end".
            let stored = fixture.repository + "/ledger/wal/1/\(sealed[1]).lz4"
            TextFile.flipBit(stored)
            #expect(try fetch(sealed[1]) == 126)
            TextFile.flipBit(stored)
            try fixture.server.run("/bin/cp", ["-a", stored, folder + "/whole"])
            #expect(truncate(stored, off_t(TextFile.size(stored) / 2)) == 0)
            #expect(try fetch(sealed[1]) == 126)
            try fixture.server.run("/bin/mv", ["-f", folder + "/whole", stored])
            #expect(try fetch(sealed[1]) == 0)
            #expect(try wal(fixture, ["fetch", "--no-such-option"]).exitStatus == 126)
        }
    }

    @Test func `wal fetch says at once that it goes on trying, and until when`() async throws {
        try await offPool {
            let (fixture, sealed, _) = try archived()
            let path = try fixture.server.makeDirectory("fetched") + "/RECOVERYXLOG"
            let away = fixture.repository + ".away"
            try fixture.server.run("/bin/mv", [fixture.repository, away])
            let fetch = try TidemarkProcess(
                [
                    "wal", "fetch", "--repository", "file://" + fixture.repository, "--source",
                    "ledger", sealed[1], path,
                ], user: PostgresTools.user)
            try fetch.waitForLog("trying again until 20", seconds: 10)
            #expect(fetch.log.contains("cannot fetch \(sealed[1])"), "\(fetch.log)")
            #expect(fetch.log.contains(fixture.repository), "\(fetch.log)")
            #expect(access(path, F_OK) != 0)
            try fixture.server.run("/bin/mv", [away, fixture.repository])
            #expect(fetch.process.wait(seconds: 60)?.isSuccess == true)
            #expect(TextFile.size(path) == 1 << 20)
            #expect(fetch.log.split(separator: "\n").count == 1, "\(fetch.log)")
        }
    }

    @Test func `wal push takes the same bytes twice and no others`() async throws {
        try await offPool {
            let (fixture, sealed, _) = try archived()
            let folder = try fixture.server.makeDirectory("pushed")
            let path = folder + "/" + sealed[1]
            #expect(try wal(fixture, ["fetch", sealed[1], path]).exitStatus == 0)
            #expect(try wal(fixture, ["push", path]).exitStatus == 0)
            TextFile.flipBit(path, at: 0.7)
            let other = try wal(fixture, ["push", path])
            #expect(other.exitStatus == 4)
            #expect(other.errors.contains("hold different bytes"), "\(other.errors)")
            TextFile.flipBit(path, at: 0.7)

            // The archive has lost the segment: the server's copy brings it back, footer and all.
            let stored = fixture.repository + "/ledger/wal/1/\(sealed[1]).lz4"
            #expect(unlink(stored) == 0)
            #expect(try wal(fixture, ["push", path]).exitStatus == 0)
            let count = "select count(*) from t where i = 2"
            #expect(try fixture.answer(count, at: "latest").answer == "4")
            #expect(try wal(fixture, ["push", "/etc/hostname"]).exitStatus == 2)
        }
    }
}
