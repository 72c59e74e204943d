import Glibc
import Model
import Platform
import Repository
import TestKit
import Testing

@Suite(.timeLimit(.minutes(5))) struct `A restore that cannot be right` {
    /// A fixture with a few sealed segments behind the base backup, and no sidecar any more.
    private func archived() throws -> RestoreFixture {
        let fixture = try RestoreFixture()
        _ = try fixture.sql("create table t as select 1 as i")
        for _ in 0..<3 {
            _ = try fixture.sql(
                "insert into t select i from generate_series(1, 30000) i; select pg_switch_wal()")
        }
        try fixture.settle()
        fixture.stopSidecar()
        return fixture
    }

    private func segments(_ fixture: RestoreFixture) throws -> [String] {
        try fixture.archive.store.list("ledger/wal/1/").map(\.key.path)
            .filter { $0.hasSuffix(".lz4") }.sorted()
    }

    @Test func `is refused before anything is written`() async throws {
        try await offPool {
            let fixture = try archived()
            let path = fixture.repository + "/"
            let list = try segments(fixture)
            let removed = path + list[list.count - 2]

            let folder = try fixture.server.makeDirectory("target")
            #expect(rename(removed, removed + ".away") == 0)
            let missing = try fixture.restore(to: "latest", into: folder)
            #expect(missing.exitStatus == 4, "\(missing.errors)")
            #expect(missing.errors.contains("is missing"), "\(missing.errors)")

            try fixture.archive.putGap(
                RestoreFixture.source, WalStyle.make(1 << 20),
                gap(of: list[list.count - 2], reason: "the slot was lost"))
            // We may be root here, the restore is not.
            chmod(path + "ledger/gaps", 0o755)
            for key in try fixture.archive.store.list("ledger/gaps/") {
                chmod(path + key.key.path, 0o644)
            }
            let lost = try fixture.restore(to: "latest", into: folder)
            #expect(lost.exitStatus == 3, "\(lost.errors)")
            #expect(lost.errors.contains("the slot was lost"), "\(lost.errors)")
            #expect(rename(removed + ".away", removed) == 0)

            // A segment that lost its end has lost its footer.
            try fixture.server.run("/bin/cp", ["-a", removed, removed + ".away"])
            for size in [TextFile.size(removed) - 100, 0] {
                #expect(truncate(removed, off_t(size)) == 0)
                for more in [[], ["--dry-run"], ["--start"]] {
                    let short = try fixture.restore(to: "latest", into: folder, more)
                    #expect(short.exitStatus == 4, "\(size) \(more): \(short.errors)")
                    #expect(short.errors.contains("\(list[list.count - 2]) is damaged"))
                    #expect(short.errors.contains("bring it back from a copy"), "\(short.errors)")
                    #expect(access(folder + "/ledger", F_OK) != 0)
                }
            }
            #expect(rename(removed + ".away", removed) == 0)

            let base = path + "ledger/base/\(try fixture.backups()[0].id)/base.tar.lz4"
            try fixture.server.run("/bin/cp", ["-a", base, base + ".whole"])
            #expect(truncate(base, off_t(TextFile.size(base) / 2)) == 0)
            let cut = try fixture.restore(to: "latest", into: folder)
            #expect(cut.exitStatus == 4, "\(cut.errors)")
            #expect(cut.errors.contains("bytes, "), "\(cut.errors)")
            #expect(cut.errors.contains("bring it back from a copy"), "\(cut.errors)")
            #expect(access(folder + "/ledger", F_OK) != 0)
            #expect(rename(base + ".whole", base) == 0)
            TextFile.flipBit(base)
            let flipped = try fixture.restore(to: "latest", into: folder)
            #expect(flipped.exitStatus == 4, "\(flipped.errors)")
            #expect(flipped.errors.contains("base.tar.lz4 is damaged"), "\(flipped.errors)")
            TextFile.flipBit(base)
            // What was left behind is neither a database nor an empty place.
            #expect(access(folder + "/ledger/global/pg_control", F_OK) != 0)
            let again = try fixture.restore(to: "latest", into: folder)
            #expect(again.exitStatus == 2)
            #expect(again.errors.contains("--force"), "\(again.errors)")
            #expect(try fixture.restore(to: "latest", into: folder, ["--force"]).exitStatus == 0)
        }
    }

    private func gap(of key: String, reason: String) -> Gap {
        let name = String(key.split(separator: "/").last!.prefix(24))
        let range = WalStyle.make(1 << 20).parseSegmentName(name, timeline: TimelineID("1"))!
        return Gap(
            timeline: range.timeline, first: range.first, last: range.last,
            found: CommitTime(microseconds: 0), reason: reason)
    }

    @Test func `says which program is missing`() async throws {
        try await offPool {
            let fixture = try archived()
            let folder = try fixture.server.makeDirectory("target")
            let none = try fixture.restore(
                to: "latest", into: folder, ["--start", "--pg-bin", "/nonexistent"])
            #expect(none.exitStatus == 1)
            #expect(none.errors.contains("apt-get install postgresql-"), "\(none.errors)")
            #expect(access(folder + "/ledger", F_OK) != 0)

            // A real one of another major version.
            for more in [[], ["--start"], ["--dry-run"]] {
                let other = try fixture.restore(
                    to: "latest", into: folder, ["--pg-bin", OtherServers.postgres(16)] + more)
                #expect(other.exitStatus == 1, "\(more): \(other.errors)")
                #expect(other.errors.contains("has version 16"), "\(other.errors)")
                #expect(other.errors.contains("apt-get install postgresql-15"))
                #expect(access(folder + "/ledger", F_OK) != 0)
            }
        }
    }

    @Test func `never promotes short when the archive fails during recovery`() async throws {
        try await offPool {
            let fixture = try archived()
            let list = try segments(fixture)
            let path = fixture.repository + "/" + list[list.count - 2]
            TextFile.flipBit(path)
            let folder = try fixture.server.makeDirectory("target")
            let flipped = try fixture.restore(to: "latest", into: folder, ["--start"])
            #expect(flipped.exitStatus == 4, "\(flipped.errors)")
            #expect(flipped.errors.contains("archiveDamaged"), "\(flipped.errors)")
            #expect(flipped.output.isEmpty)
            // It did not promote, and goes on once the archive is whole again.
            #expect(access(folder + "/ledger/recovery.signal", F_OK) == 0)
            TextFile.flipBit(path)
            try fixture.server.run(
                "pg_ctl",
                [
                    "start", "-w", "-D", folder + "/ledger", "-l", folder + "/log", "-o",
                    "-p \(try freePort())",
                ])
            defer { fixture.stop(folder + "/ledger") }
            try eventually("promotion") { access(folder + "/ledger/recovery.signal", F_OK) != 0 }
        }
    }
}
