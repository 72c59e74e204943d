import Glibc
import Model
import Repository
import Platform
import Storage
import TestKit
import Testing

/// `--force` replaces a copy, and nothing else.
@Suite(.timeLimit(.minutes(5)))
struct RestoreForceTests {
    @Test func `it replaces neither the archive nor strangers' files`() async throws {
        try await offPool {
            let fixture = try RestoreFixture()
            try fixture.settle()
            fixture.stopSidecar()
            let copy = fixture.repository + ".copy"
            try fixture.server.run("/bin/cp", ["-a", fixture.repository, copy])
            let before = try fixture.archive.store.list("").map(\.key.path)
            for place in [
                fixture.repository, "ledger=" + fixture.repository,
                "ledger=" + fixture.repository + "/q", "ledger=" + copy,
                "ledger=" + fixture.repository + "/..",
            ] {
                for more in [["--force"], ["--force", "--dry-run"]] {
                    let done = try fixture.restore(to: "latest", into: place, more)
                    #expect(done.exitStatus == 2, "\(place): \(done.errors)")
                    #expect(done.errors.contains("the destination"), "\(done.errors)")
                }
            }
            #expect(try fixture.archive.store.list("").map(\.key.path) == before)

            let folder = try fixture.server.makeDirectory("mine")
            try fixture.server.run(
                "/bin/sh",
                ["-c", "mkdir -p \"$0/important\"; echo 1 > \"$0/important/file\"", folder])
            let refused = try fixture.restore(
                to: "latest", into: "ledger=" + folder, ["--force"])
            #expect(refused.exitStatus == 2, "\(refused.errors)")
            #expect(refused.errors.contains("holds important"), "\(refused.errors)")
            #expect(access(folder + "/important/file", F_OK) == 0)
            #expect(access(folder + "/PG_VERSION", F_OK) != 0)

            for url in ["redis://127.0.0.1:6481", "mongodb://127.0.0.1/", fixture.server.url()] {
                for more in [[], ["--force", "--dry-run"]] {
                    let done = try fixture.restore(to: "latest", into: "ledger=" + url, more)
                    #expect(done.exitStatus == 2, "\(url): \(done.errors)")
                    #expect(done.errors.contains("restored into a folder"), "\(done.errors)")
                    #expect(done.errors.contains("--into ledger=/"), "\(done.errors)")
                }
            }

            let into = "ledger=" + folder + "/copy"
            #expect(try fixture.restore(to: "latest", into: into).exitStatus == 0)
            #expect(try fixture.restore(to: "latest", into: into).exitStatus == 2)
            #expect(try fixture.restore(to: "latest", into: into, ["--force"]).exitStatus == 0)
        }
    }
}
