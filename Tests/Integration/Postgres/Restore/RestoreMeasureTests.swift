import Glibc
import Model
import Platform
import Repository
import TestKit
import Testing

/// How long a restore took is kept in the archive, for the next one's estimate.
@Suite(.timeLimit(.minutes(5)))
struct RestoreMeasureTests {
    @Test func `each restore notes what it has measured, and a plan notes nothing`() async throws {
        try await offPool {
            let fixture = try RestoreFixture.archived()
            let source = RestoreFixture.source
            let known = { () throws(TidemarkError) in
                try fixture.archive.restoreMeasurement(source)
            }
            let folder = try fixture.server.makeDirectory("target")
            let planned = try fixture.restore(to: "latest", into: folder, ["--dry-run"])
            #expect(planned.exitStatus == 0, "\(planned.errors)")
            #expect(try known() == nil)

            let copied = try fixture.restore(to: "latest", into: folder)
            #expect(copied.exitStatus == 0 && !copied.errors.contains("could not be kept"))
            let first = try #require(try known())
            let backup = try #require(try fixture.backups().first)
            #expect(first.copy.baseBytes == backup.bytes)
            #expect(first.copy.seconds > 0 && first.copy.replayBytes == nil)
            #expect(first.recovery == nil)

            #expect(try fixture.answer("select i from t", at: "latest").answer == "7")
            let second = try #require(try known())
            #expect(second.copy.at > first.copy.at)
            let recovery = try #require(second.recovery)
            #expect(recovery.seconds > 0.05 && recovery.replayBytes ?? 0 > 1000)

            // Without a server the recovery that was measured stays; a damaged note is made anew.
            let again = try fixture.server.makeDirectory("again")
            _ = try fixture.restore(to: "latest", into: again)
            #expect(try known()?.recovery == recovery)
            TextFile.flipBit(fixture.repository + "/ledger/rto.json")
            #expect(throws: TidemarkError.self) { try known() }
            let anew = try fixture.server.makeDirectory("anew")
            _ = try fixture.restore(to: "latest", into: anew)
            #expect(try known()?.recovery == nil)

            // An archive that cannot be written to is no reason to fail.
            try fixture.server.run("/bin/chmod", ["a-w", fixture.repository + "/ledger"])
            defer {
                _ = try? fixture.server.run("/bin/chmod", ["u+w", fixture.repository + "/ledger"])
            }
            let closed = try fixture.server.makeDirectory("closed")
            let done = try fixture.restore(to: "latest", into: closed)
            #expect(done.exitStatus == 0)
            #expect(done.errors.contains("how long it took could not be kept in the archive"))
        }
    }
}
