import Glibc
import Model
import Platform
import TestKit
import Testing

/// Whose a restored copy is, and where it has no room.
@Suite(.timeLimit(.minutes(5)))
struct RestorePlaceTests {
    private func archived() throws -> RestoreFixture {
        let fixture = try RestoreFixture()
        _ = try fixture.sql("create table t as select 7 as i")
        try fixture.settle()
        fixture.stopSidecar()
        return fixture
    }

    @Test
    func `run by root it belongs to the user that was named, closed to everybody else`()
        async throws
    {
        try await offPool {
            let fixture = try archived()
            // Nobody but us may write here; the folders below do not exist yet.
            let place = try ScratchDirectory()
            let data = place.path + "/new/copy/ledger"
            let words = [
                "restore", "--repository", "file://" + fixture.repository, "--to", "latest",
                "--into", place.path + "/new/copy",
            ]
            if UserIdentity.isRoot {
                let anonymous = try TidemarkProcess.run(words)
                #expect(anonymous.exitStatus == 2, "\(anonymous.errors)")
                #expect(anonymous.errors.contains("--user postgres"), "\(anonymous.errors)")
                let rooted = try TidemarkProcess.run(words + ["--user", "root"])
                #expect(rooted.exitStatus == 2, "\(rooted.errors)")
                #expect(access(place.path + "/new", F_OK) != 0)
            }
            let user = UserIdentity.isRoot ? "postgres" : try fixture.sql("select current_user")
            let done = try TidemarkProcess.run(words + ["--user", user, "--start"])
            try #require(done.exitStatus == 0, "\(done.errors)")
            defer { fixture.stop(data) }
            let mode = try fixture.server.run("/usr/bin/stat", ["-c", "%a %U", data]).output
            #expect(mode == "700 \(user)\n")
            let others = try fixture.server.run(
                "/usr/bin/find",
                [
                    data, "-type", "f,d", "(", "!", "-user", user, "-o", "-perm", "/077", ")",
                ]
            ).output
            #expect(others.isEmpty, "\(others)")
            let url = done.output.split(separator: "\n").first.map(String.init) ?? ""
            let rows = try fixture.server.run(
                "psql", ["-XAtqc", "select i from t", url + "?user=postgres"]
            ).output
            #expect(rows == "7\n")
        }
    }

    @Test
    func `too little room is said before anything is written`() async throws {
        try await offPool {
            let fixture = try archived()
            let place = try fixture.server.makeDirectory("small")
            let small = try SmallFileSystem(at: place, mebibytes: 8)
            let tight = try fixture.restore(to: "latest", into: small.path)
            #expect(tight.exitStatus == 1, "\(tight.errors)")
            #expect(tight.errors.contains("free, the restore needs"), "\(tight.errors)")
            #expect(tight.errors.contains("choose another destination with --into"))
            #expect(try Directory.names(in: place).isEmpty)
        }
    }
}
