import Model
import Platform
import TestKit
import Testing

/// The alternative compression, from the server to the server.
@Suite(.timeLimit(.minutes(4)))
struct SidecarGzipTests {
    @Test func `a gzip archive is read by gzip, survives a kill, and comes back`() async throws {
        try await offPool {
            let server = try PostgresServer.start(.init(settings: ["wal_keep_size = 512MB"]))
            let side = try SidecarHarness(server, compression: "gzip")
            let sidecar = try side.startWithBackup()
            try server.psql(
                "create table t as select g, md5(g::text) m from generate_series(1, 100000) g")
            sidecar.kill9()
            let again = try side.start()
            try again.waitForLog("stream opened")
            try server.psql("insert into t select g, md5(g::text) from generate_series(1, 1000) g")
            try server.psql("select pg_switch_wal()")
            // Shown as it goes: what is done, and at the end how much and how fast.
            let said = try side.expect(0, ["backup"])
            let line = try #require(said.split(separator: "\n").first { $0.contains("/s") })
            #expect(line.hasPrefix("base backup of ledger: "), "\(said)")
            try side.waitProved(side.moment())
            #expect(try again.terminate().isSuccess)
            try side.expect(0, ["verify", "--deep"])
            // Every sealed segment is the server's own file, says gzip.
            let found = try server.run(
                "/bin/bash",
                [
                    "-c",
                    """
                    count=0
                    for f in $(find "$1" -path '*/wal/*' -name '*.gz'); do
                        name=$(basename "$f" .gz)
                        case $name in *.history) continue;; esac
                        gzip -dc "$f" | cmp - "$0/$name" && count=$((count + 1))
                    done
                    echo "$count"
                    """, server.pgData + "/pg_wal", side.archive,
                ], seconds: 120
            ).output.split(separator: "\n")
            #expect(found.count == 1 && Int(found[0]) ?? 0 >= 1, "\(found)")
            let count = try side.restored(to: "latest") {
                try side.ask($0, "select count(*) from t")
            }
            #expect(count == "101000")
        }
    }
}
