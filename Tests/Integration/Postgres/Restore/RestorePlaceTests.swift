import Glibc
import Model
import Platform
import TestKit
import Testing

/// Whose a restored copy is, and where it has no room.
@Suite(.timeLimit(.minutes(5)))
struct RestorePlaceTests {
    /// Whom the copies are to belong to: the user of the test's own servers.
    private static let user = PostgresTools.user?.name ?? UserIdentity.currentName

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
            // What root makes there we may not remove.
            defer { _ = try? AsRoot.run("rm", ["-rf", place.path + "/new"]) }
            let program = try TidemarkProcess.program()
            for more in [[], ["--dry-run"]] {
                let anonymous = try AsRoot.run(program, words + more)
                #expect(anonymous.exitStatus == 2, "\(more): \(anonymous.errors)")
                #expect(anonymous.errors.contains("--user postgres"), "\(anonymous.errors)")
            }
            let rooted = try AsRoot.run(program, words + ["--user", "root"])
            #expect(rooted.exitStatus == 2, "\(rooted.errors)")
            #expect(access(place.path + "/new", F_OK) != 0)
            let user = Self.user
            let done = try AsRoot.run(program, words + ["--user", user, "--start"])
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
                try AsRoot.run(
                    TidemarkProcess.program(),
                    [
                        "restore", "--repository", "file://" + fixture.repository, "--to",
                        "latest", "--into", into,
                    ] + more)
            }
            let user = Self.user
            let group = try #require(UserIdentity.groupName(of: UserIdentity(named: user).gid))
            let nobody = try restore(["--dry-run", "--user", "nosuch"], into: place.path + "/a")
            #expect(nobody.exitStatus == 2, "\(nobody.errors)")
            #expect(nobody.errors.contains("no user nosuch"), "\(nobody.errors)")
            let closed = try fixture.restore(
                to: "latest", into: "/proc/nowhere", ["--dry-run"])
            #expect(closed.exitStatus == 2, "\(closed.errors)")
            // As a sidecar that runs as root leaves it.
            try AsRoot.succeed("chown", ["-R", "root:root", fixture.repository])
            defer { _ = try? AsRoot.run("chown", ["-R", user, fixture.repository, place.path]) }
            try AsRoot.succeed("chmod", ["-R", "u=rwX,g=rX,o=", fixture.repository])
            for more in [[], ["--dry-run"]] {
                let done = try restore(["--user", user] + more, into: place.path + "/a")
                #expect(done.exitStatus == 2, "\(done.errors)")
                #expect(done.errors.contains("\(user) cannot read"), "\(done.errors)")
                #expect(access(place.path + "/a", F_OK) != 0)
            }
            // The remedy's three commands; then a new file of root's is readable too.
            try AsRoot.succeed("chgrp", ["-R", group, fixture.repository])
            try AsRoot.succeed("chmod", ["-R", "g+rX", fixture.repository])
            try AsRoot.succeed(
                "find", [fixture.repository, "-type", "d", "-exec", "chmod", "g+s", "{}", "+"])
            let done = try restore(["--user", user, "--start"], into: place.path + "/a")
            #expect(done.exitStatus == 0, "\(done.errors)")
            #expect(done.errors.contains("runuser -u \(user) -- psql -h"), "\(done.errors)")
            fixture.stop(place.path + "/a/ledger")
            // How long it took is noted by the owner of the archive, who alone may write there.
            let note = try fixture.server.run(
                "/usr/bin/stat", ["-c", "%a %U %G", fixture.repository + "/ledger/rto.json"]
            ).output
            #expect(note == "640 root \(group)\n", "\(done.errors)")
            // Without --start it is said how to start it.
            let copied = try restore(["--user", user], into: place.path + "/b")
            #expect(copied.errors.contains("next step: runuser -u \(user) -- "))
            #expect(copied.errors.contains("pg_ctl start -w"), "\(copied.errors)")
        }
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
