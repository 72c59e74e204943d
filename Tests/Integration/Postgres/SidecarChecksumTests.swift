import Platform
import TestKit
import Testing

/// A page of the source that fails its checksum: whoever looks at the base backup is told.
@Suite(.timeLimit(.minutes(5)))
struct SidecarChecksumTests {
    @Test func `a damaged page is told by backup, list, status, verify and restore`() async throws {
        try await offPool {
            let server = try PostgresServer.start(.init(checksums: true))
            let file = try server.damagePage()
            let side = try SidecarHarness(server)
            let sidecar = try side.start(["--no-backup"])
            try side.waitProved(side.moment())

            let backup = try side.expect(0, ["backup"])
            #expect(backup.contains(file), "\(backup)")
            #expect(try side.expect(0, ["list"]).contains("warnings (--json)"))
            #expect(try side.expect(0, ["list", "--json"]).contains(file))
            let status = try side.expect(0, ["status"])
            #expect(status.contains("checksum verification failure"), "\(status)")
            for more in [[], ["--deep"]] {
                let verified = try side.expect(0, ["verify"] + more)
                #expect(verified.contains("sound, 1 warning"), "\(verified)")
                #expect(verified.contains(file), "\(verified)")
                #expect(verified.contains("take another with `tidemark backup ledger`"))
            }
            #expect(try sidecar.terminate().isSuccess)
            let restored = try side.expect(
                0, ["restore", "--to", "latest", "--into", side.folder + "/copy"])
            #expect(restored.contains(file), "\(restored)")
        }
    }
}
