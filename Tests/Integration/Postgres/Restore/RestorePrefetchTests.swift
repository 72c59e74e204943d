import Glibc
import Model
import Platform
import Repository
import TestKit
import Testing

/// Segments that are fetched before recovery asks for them.
@Suite(.timeLimit(.minutes(5)))
struct RestorePrefetchTests {
    /// An archive of a good many segments, and their names; the sidecar has ended.
    private func archived() throws -> (fixture: RestoreFixture, sealed: [String]) {
        let fixture = try RestoreFixture()
        _ = try fixture.sql("create table t (i int, s text)")
        for _ in 0..<6 {
            _ = try fixture.sql(
                "insert into t select i, repeat(md5(i::text), 20) from generate_series(1, 4000) i")
        }
        _ = try fixture.sql("select pg_switch_wal(); insert into t values (0)")
        try fixture.settle()
        fixture.stopSidecar()
        let names = try fixture.archive.store.list("ledger/wal/1/").map(\.key.name)
        return (fixture, names.filter { $0.hasSuffix(".lz4") }.map { String($0.prefix(24)) })
    }

    @Test func `are taken from the spool, but for damaged ones, and the spool goes by itself`()
        async throws
    {
        try await offPool {
            let (fixture, sealed) = try archived()
            try #require(sealed.count > 8)
            // Looks like a data directory to `wal fetch`.
            let data = try fixture.server.makeDirectory("asking")
            try TextFile.write(data + "/PG_VERSION", "15\n")
            let stored = fixture.repository + "/ledger/wal/1/"
            TextFile.flipBit(stored + sealed[5] + ".lz4")
            func fetch(_ name: String) throws -> Int32 {
                try TidemarkProcess.run(
                    [
                        "wal", "fetch", "--repository", "file://" + fixture.repository, "--source",
                        "ledger", name, "RECOVERYXLOG",
                    ], directory: data, user: PostgresTools.user
                ).exitStatus
            }
            let spool = data + "/tidemark-prefetch/"
            #expect(try fetch(sealed[1]) == 0)
            try eventually("the segments before the damaged one are ready") {
                (2...4).allSatisfy { access(spool + sealed[$0], F_OK) == 0 }
            }
            // It cannot come from the archive.
            #expect(rename(stored + sealed[2] + ".lz4", stored + "away") == 0)
            #expect(try fetch(sealed[2]) == 0)
            #expect(rename(stored + "away", stored + sealed[2] + ".lz4") == 0)
            #expect(TextFile.size(data + "/RECOVERYXLOG") == 1 << 20)
            #expect(access(spool + sealed[2], F_OK) != 0)
            #expect(access(spool + sealed[5], F_OK) != 0)
            #expect(try fetch(sealed[5]) == 126)
            // Nothing asks any more, and no server is there.
            try eventually("the spool is gone", seconds: 20) { access(spool, F_OK) != 0 }
        }
    }

    @Test func `are ready before a recovering server asks for them, and gone after promotion`()
        async throws
    {
        try await offPool {
            let (fixture, sealed) = try archived()
            let folder = try fixture.server.makeDirectory("target")
            let done = try fixture.restore(to: "latest", into: folder)
            #expect(done.exitStatus == 0, "\(done.errors)")
            let data = folder + "/ledger"
            // Notes what lies there already when the server asks.
            try fixture.server.run(
                "/bin/sed",
                [
                    "-i",
                    "s,^restore_command = ',&test ! -e tidemark-prefetch/%f || echo %f >> \(folder)/ready; ,",
                    data + "/postgresql.auto.conf",
                ])
            let port = try freePort()
            try fixture.server.run(
                "pg_ctl", ["start", "-w", "-D", data, "-l", folder + "/log", "-o", "-p \(port)"])
            defer { fixture.stop(data) }
            let url = "postgresql://127.0.0.1:\(port)/postgres?user=postgres"
            let count = try eventually("promotion") {
                try? fixture.server.run("psql", ["-XAtqc", "select count(*) from t", url]).output
            }
            #expect(count == "24001\n")
            let ready = TextFile.read(folder + "/ready").split(separator: "\n").map(String.init)
            #expect(ready.count >= 2, "\(ready) of \(sealed)")
            #expect(Set(ready).isSubset(of: sealed))
            try eventually("the spool is gone") { access(data + "/tidemark-prefetch", F_OK) != 0 }
        }
    }
}
