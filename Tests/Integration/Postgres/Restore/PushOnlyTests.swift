import Glibc
import Model
import Platform
import TestKit
import Testing

/// An archive that `wal push` alone keeps, without a sidecar: where it ends is proved as well.
@Suite(.timeLimit(.minutes(5)))
struct PushOnlyTests {
    /// A server that has pushed everything behind a base backup; it is dead.
    private func pushed() throws -> SidecarHarness {
        let server = try PostgresServer.start(
            .init(settings: ["archive_mode = on", "archive_command = ''"], segmentMebibytes: 1))
        try server.psql("create table t (i int)")
        let side = try SidecarHarness(server)
        try side.expect(0, ["backup"])
        let program = try TidemarkProcess.program()
        try server.appendSettings([
            "archive_command = '\(program) wal push --config \(side.config) %p'"
        ])
        try server.reload()
        for number in 1...4 {
            let last = try server.psql(
                """
                insert into t values (\(number));
                select pg_walfile_name(pg_switch_wal())
                """)
            try eventually("\(last) was handed over", seconds: 60) {
                try server.psql("select last_archived_wal from pg_stat_archiver") >= last
            }
        }
        try server.kill9()
        return side
    }

    private func rows(_ side: SidecarHarness, to target: String, _ name: String) throws -> String {
        try side.restored(to: target, name: name) { try side.ask($0, "select max(i) from t") }
    }

    /// The position that a refusal names as the way out.
    private func named(_ refusal: String) throws -> String {
        try #require(
            refusal.split { $0 == " " || $0 == "`" }.first { $0.hasPrefix("lsn:") }.map(String.init)
        )
    }

    @Test func `it is restored to its end, with and without a watermark`() async throws {
        try await offPool {
            let side = try pushed()
            try side.expect(0, ["verify", "--deep"])
            #expect(try rows(side, to: "latest", "a") == "4")
            #expect(unlink(side.archive + "/ledger/watermark.json") == 0)
            #expect(try rows(side, to: "latest", "b") == "4")
        }
    }

    @Test func `a lost end is never taken for the end`() async throws {
        try await offPool {
            let side = try pushed()
            let last = try #require(side.segments().last)
            #expect(unlink(last) == 0)
            let refused = try side.expect(
                4, ["restore", "--to", "latest", "--into", side.folder + "/a"])
            #expect(refused.contains("archive_command had stored it"), "\(refused)")
            let found = try side.expect(4, ["verify"])
            #expect(found.contains("pushed.json"), "\(found)")
            // What there is can be had by name.
            #expect(try rows(side, to: named(refused), "b") == "3")
        }
    }

    @Test func `a place whose disk is not mounted is no new archive`() async throws {
        try await offPool {
            let side = try pushed()
            let server = side.server
            try server.start()
            try server.psql("select pg_drop_replication_slot('tidemark_ledger')")
            // A crash has reset the statistics of the archiver.
            let last = try server.psql("select pg_walfile_name(pg_switch_wal())")
            try eventually("\(last) was handed over", seconds: 60) {
                try server.psql("select last_archived_wal from pg_stat_archiver") >= last
            }
            #expect(rename(side.archive, side.archive + ".away") == 0)
            #expect(mkdir(side.archive, 0o777) == 0)
            #expect(chmod(side.archive, 0o777) == 0)
            let wal = server.pgData + "/pg_wal/" + last
            let refused = try side.expect(5, ["wal", "push", wal])
            #expect(refused.contains("in another archive: this one is empty"), "\(refused)")
            #expect(namesInside(side.archive) == [])
            // Without an answer of the server its notes in pg_wal say the same.
            try server.kill9()
            let notes = try side.expect(5, ["wal", "push", wal])
            #expect(notes.contains("has stored 0000000"), "\(notes)")
            #expect(namesInside(side.archive) == [])
        }
    }

    @Test func `without any proof of its end it is restored to named places only`() async throws {
        try await offPool {
            let side = try pushed()
            for name in ["watermark", "pushed"] {
                #expect(unlink(side.archive + "/ledger/\(name).json") == 0)
            }
            let refused = try side.expect(
                4, ["restore", "--to", "latest", "--into", side.folder + "/a"])
            #expect(refused.contains("nothing proves that the archive ends here"), "\(refused)")
            #expect(try rows(side, to: named(refused), "b") == "4")
        }
    }
}
