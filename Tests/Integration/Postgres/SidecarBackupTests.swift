import Glibc
import Model
import Platform
import Repository
import Storage
import TestKit
import Testing

/// Base backups by schedule, and by two who want one at once.
@Suite(.timeLimit(.minutes(5)))
struct SidecarBackupTests {
    private func archive(_ side: SidecarHarness) throws -> ArchiveRepository {
        ArchiveRepository(try FolderURL("file://" + side.archive).open(createRoot: false))
    }

    private func backups(_ side: SidecarHarness, _ source: String) throws -> [BaseBackupDescriptor]
    { try archive(side).backups(try #require(SourceID(source))) }

    @Test func `a missed one is caught up, the next is taken in time, each source by its own`()
        async throws
    {
        try await offPool {
            let server = try PostgresServer.start()
            let other = try PostgresServer.start()
            let side = try SidecarHarness(
                server,
                lines: [
                    "  rare: { url: \"\(other.url())\", backup: { schedule: \"0 0 1 1 *\" } }",
                    "backup: { schedule: \"* * * * *\" }",
                ])
            let first = try side.start()
            for source in ["ledger", "rare"] {
                try eventually("the first of \(source)", seconds: 60) {
                    // At first there is no archive yet.
                    (try? backups(side, source))?.isEmpty == false
                }
            }
            #expect(try first.terminate().isSuccess)
            // As if it had been two hours ago.
            let known = try backups(side, "ledger")
            for backup in known { try age(side, backup) }
            let sidecar = try side.start()
            try sidecar.waitForLog("\"reason\":\"missed at ", seconds: 60)
            let caught = try eventually("the missed one", seconds: 60) {
                try backups(side, "ledger").first { !known.map(\.id).contains($0.id) }
            }
            // Each minute has one.
            try sidecar.waitForLog("\"reason\":\"scheduled for ", seconds: 120)
            let text = sidecar.log.split(separator: "scheduled for ").dropFirst().first ?? ""
            let due = try #require(CommitTime(String(text.prefix { $0 != "\"" })), "\(text)")
            #expect(due.microseconds % 60_000_000 == 0)
            let next = try eventually("the next one", seconds: 60) {
                try backups(side, "ledger").first { $0.started > caught.started }
            }
            #expect((0..<60).contains(next.started.seconds(since: due)), "\(next.started)")
            #expect(try backups(side, "rare").count == 1)
            #expect(try sidecar.terminate().isSuccess)
        }
    }

    private func age(_ side: SidecarHarness, _ backup: BaseBackupDescriptor) throws {
        let manifest = side.archive + "/ledger/base/\(backup.id)/manifest.json"
        try #require(unlink(manifest) == 0)
        var old = backup
        old.started = backup.started.advanced(bySeconds: -7200)
        old.finished = backup.finished.advanced(bySeconds: -7200)
        try archive(side).putManifest(old)
        // We may be root here, the sidecar is not.
        chmod(manifest, 0o644)
    }

    @Test func `never two at once, of two commands or of one and the sidecar's`() async throws {
        try await offPool {
            let server = try PostgresServer.start()
            try server.psql(
                """
                create table t as select string_agg(md5(random()::text), '') as s
                from generate_series(1, 10000) i, generate_series(1, 60) group by i
                """)
            let side = try SidecarHarness(server)
            let folder = side.archive + "/ledger/base"
            // Stopped in the middle of the sidecar's first one.
            let sidecar = try side.start()
            try stopInTheMiddle(sidecar, folder, [])
            let beside = try side.expect(1, ["backup"])
            #expect(beside.contains("is being taken already"), "\(beside)")
            sidecar.process.signal(SIGCONT)
            try sidecar.waitForLog("base backup finished", seconds: 90)

            let taken = try Set(backups(side, "ledger").map(\.id))
            #expect(taken.count == 1)
            let one = try TidemarkProcess(
                ["backup", "--config", side.config], environment: side.environment,
                directory: side.folder, user: side.user)
            try stopInTheMiddle(one, folder, taken)
            let two = try side.expect(1, ["backup"])
            #expect(two.contains("is being taken already"), "\(two)")
            one.process.signal(SIGCONT)
            #expect(one.process.wait(seconds: 60)?.isSuccess == true, "\(one.log)")
            #expect(try backups(side, "ledger").count == 2)
            #expect(try sidecar.terminate().isSuccess)
            try side.expect(0, ["verify", "--deep"])
        }
    }

    /// Stops a process whose base backup has begun to be written and is not there yet.
    private func stopInTheMiddle(
        _ program: TidemarkProcess, _ folder: String, _ known: Set<String>
    ) throws {
        let id = try eventually("a base backup is being written", seconds: 60) { () -> String? in
            let names = (try? Directory.names(in: folder)) ?? []
            return names.first { !known.contains($0) && $0.hasPrefix("2") }
        }
        program.process.signal(SIGSTOP)
        try #require(access("\(folder)/\(id)/manifest.json", F_OK) != 0, "it was too quick")
    }
}
