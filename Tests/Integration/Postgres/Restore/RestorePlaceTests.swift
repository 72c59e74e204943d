import Glibc
import Model
import Platform
import Repository
import Storage
import TestKit
import Testing

/// Whose a restored copy is, and where it has no room.
@Suite(.timeLimit(.minutes(5)))
struct RestorePlaceTests {
    @Test
    func `run by root it belongs to the user that was named, closed to everybody else`()
        async throws
    {
        try await offPool {
            let fixture = try RestoreFixture.archived()
            // Nobody but us may write here; the folders below do not exist yet.
            let place = try ScratchDirectory()
            let data = place.path + "/new/copy/ledger"
            let words = [
                "restore", "--repository", "file://" + fixture.repository, "--to", "latest",
                "--into", place.path + "/new/copy",
            ]
            if UserIdentity.isRoot {
                for more in [[], ["--dry-run"]] {
                    let anonymous = try TidemarkProcess.run(words + more)
                    #expect(anonymous.exitStatus == 2, "\(more): \(anonymous.errors)")
                    #expect(anonymous.errors.contains("--user postgres"), "\(anonymous.errors)")
                }
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
    func `an owner who cannot read the archive or write the copy is refused, dry run too`()
        async throws
    {
        try await offPool {
            let fixture = try RestoreFixture.archived()
            let place = try ScratchDirectory()
            func restore(_ more: [String], into: String) throws -> CompletedProcess {
                try TidemarkProcess.run(
                    [
                        "restore", "--repository", "file://" + fixture.repository, "--to",
                        "latest", "--into", into,
                    ] + more)
            }
            let nobody = try restore(["--dry-run", "--user", "nosuch"], into: place.path + "/a")
            #expect(nobody.exitStatus == 2, "\(nobody.errors)")
            #expect(nobody.errors.contains("no user nosuch"), "\(nobody.errors)")
            let closed = try fixture.restore(
                to: "latest", into: "/proc/nowhere", ["--dry-run"])
            #expect(closed.exitStatus == 2, "\(closed.errors)")
            guard UserIdentity.isRoot else { return }

            // As a sidecar that runs as root leaves it.
            try expectSuccess("chown", ["-R", "root:root", fixture.repository])
            try expectSuccess("chmod", ["-R", "u=rwX,g=rX,o=", fixture.repository])
            for more in [[], ["--dry-run"]] {
                let done = try restore(["--user", "postgres"] + more, into: place.path + "/a")
                #expect(done.exitStatus == 2, "\(done.errors)")
                #expect(done.errors.contains("postgres cannot read"), "\(done.errors)")
                #expect(access(place.path + "/a", F_OK) != 0)
            }
            // The remedy's three commands; then a new file of root's is readable too.
            try expectSuccess("chgrp", ["-R", "postgres", fixture.repository])
            try expectSuccess("chmod", ["-R", "g+rX", fixture.repository])
            try expectSuccess(
                "find", [fixture.repository, "-type", "d", "-exec", "chmod", "g+s", "{}", "+"])
            let mark = try #require(try fixture.archive.watermark(RestoreFixture.source))
            try fixture.archive.putWatermark(RestoreFixture.source, mark)
            let facts = try fixture.server.run(
                "/usr/bin/stat", ["-c", "%a %U %G", fixture.repository + "/ledger/watermark.json"]
            ).output
            #expect(facts == "640 root postgres\n")
            let done = try restore(["--user", "postgres", "--start"], into: place.path + "/a")
            #expect(done.exitStatus == 0, "\(done.errors)")
            #expect(done.errors.contains("runuser -u postgres -- psql -h"), "\(done.errors)")
            fixture.stop(place.path + "/a/ledger")
            // How long it took is noted by the owner of the archive, who alone may write there.
            let note = try fixture.server.run(
                "/usr/bin/stat", ["-c", "%U %G", fixture.repository + "/ledger/rto.json"]
            ).output
            #expect(note == "root postgres\n", "\(done.errors)")
            // Without --start it is said how to start it.
            let copied = try restore(["--user", "postgres"], into: place.path + "/b")
            #expect(copied.errors.contains("next step: runuser -u postgres -- "))
            #expect(copied.errors.contains("pg_ctl start -w"), "\(copied.errors)")
        }
    }

    private func expectSuccess(_ program: String, _ words: [String]) throws {
        let done = try Subprocess.run(program, words, seconds: 60)
        #expect(done.status.isSuccess, "\(program): \(done.errors)")
    }

    @Test
    func `too little room is said before anything is written`() async throws {
        try await offPool {
            let fixture = try RestoreFixture.archived()
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
