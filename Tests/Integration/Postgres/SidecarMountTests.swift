import Glibc
import Model
import Platform
import TestKit
import Testing

/// A repository that is not mounted is never taken for a new archive.
@Suite(.timeLimit(.minutes(5)))
struct SidecarMountTests {
    @Test
    func `neither an empty mount point nor another place takes over the slot`() async throws {
        try await offPool {
            let server = try PostgresServer.start()
            let side = try SidecarHarness(server)
            let sidecar = try side.startWithBackup()
            try server.psql("create table t as select generate_series(1, 1000) as i")
            try side.waitProved(side.moment())
            #expect(try sidecar.terminate().isSuccess)
            let slot = "select slot_name || ' ' || restart_lsn from pg_replication_slots"
            let before = try server.psql(slot)

            let real = side.archive + ".real"
            for isMountPoint in [false, true] {
                try server.run("/bin/mv", [side.archive, real])
                if isMountPoint { try server.run("/bin/mkdir", [side.archive]) }
                for command in ["run", "backup"] {
                    let text = try side.expect(5, [command])
                    #expect(text.contains("belongs to another archive"), "\(text)")
                    #expect(text.contains("mount or name the repository"), "\(text)")
                    #expect(text.contains("pg_drop_replication_slot('tidemark_ledger')"))
                }
                // Nothing was begun there.
                if isMountPoint {
                    #expect(try Directory.names(in: side.archive).isEmpty)
                    #expect(rmdir(side.archive) == 0)
                } else {
                    #expect(access(side.archive, F_OK) != 0)
                }
                try server.run("/bin/mv", [real, side.archive])
            }

            // A run without a file, into another repository, under the same name.
            let other = try SidecarHarness(server, name: "elsewhere")
            try server.psql("insert into t values (0); select pg_switch_wal()")
            #expect(try other.expect(5, ["run"]).contains("belongs to another archive"))
            #expect(try server.psql(slot) == before)

            // The real one goes on without a gap; the other may begin once the slot is given up.
            let again = try side.start()
            try again.waitForLog("stream opened")
            try side.waitProved(side.moment())
            #expect(try side.status().gaps.isEmpty)
            #expect(try again.terminate().isSuccess)
            try server.psql("select pg_drop_replication_slot('tidemark_ledger')")
            let begun = try other.startWithBackup()
            #expect(try begun.terminate().isSuccess)
        }
    }
}
