import Model
import Platform
import TestKit
import Testing

/// Restores of several sources at once: all of them are checked before the first is written.
struct SeveralSourcesTests {
    @Test func `what one source refuses is refused before another is written`() async throws {
        try await offPool {
            let server = try RedisServer.start()
            let other = try RedisServer.start()
            let harness = try ArchiveHarness(server)
            try harness.write([("sessions", server.url), ("carts", other.url)])
            try server.command("SET", "a", "1")
            try other.command("SET", "b", "2")
            let sidecar = try harness.startWithBackup()
            try harness.expect(0, ["backup"])
            let plan = ["restore", "--to", "latest", "--into", harness.folder + "/plan"]
            try eventually("both can be restored", seconds: 60) {
                try harness.tidemark(plan + ["--dry-run"]).status.isSuccess
            }
            let place = harness.folder + "/occupied"
            try Subprocess.run(
                "/bin/sh", ["-c", "mkdir -p \"$0/carts\" && touch \"$0/carts/mine\"", place],
                SubprocessOptions(user: harness.user), seconds: 20)
            let into = ["restore", "--to", "latest", "--into", place]
            for more in [["--start"], ["--start", "--dry-run"], ["--start", "--port", "6400"]] {
                try harness.expect(2, into + more)
                #expect(try Directory.names(in: place) == ["carts"])
            }
            // A place in the history of one source is nothing to the other.
            let history = try server.info("master_replid")
            let mark = "offset:\(history):\(try server.offset())"
            let said = try harness.expect(
                2, ["restore", "--to", mark, "--into", harness.folder + "/new", "--start"])
            #expect(said.contains("add --source sessions"), "\(said)")
            #expect(try !Directory.names(in: harness.folder).contains("new"))
            // A history belongs to one source as well; the others follow their own.
            try harness.expect(0, plan + ["--dry-run", "--timeline", history])
            let nobody = try harness.expect(3, plan + ["--dry-run", "--timeline", "a60dd"])
            #expect(nobody.contains("none of sessions, carts has a timeline a60dd"), "\(nobody)")
            try both(harness)
            #expect(try sidecar.terminate().isSuccess)
        }
    }

    /// Nothing was archived before, and one of the sources is not there.
    @Test func `a base backup before the first run is taken of every source that is there`()
        async throws
    {
        try await offPool {
            let server = try RedisServer.start()
            let other = try RedisServer.start()
            let gone = try RedisServer.start()
            let harness = try ArchiveHarness(server)
            try harness.write([
                ("sessions", server.url), ("gone", gone.url), ("carts", other.url),
            ])
            gone.kill9()
            let done = try harness.tidemark(["backup"], seconds: 150)
            #expect(done.status == .exited(5), "\(done.errors)")
            #expect(done.errors.contains("no base backup of gone: "), "\(done.errors)")
            #expect(done.errors.contains("taken: sessions, carts"), "\(done.errors)")
            for name in ["sessions", "carts"] {
                #expect(done.output.contains(name), "\(done.output)")
                try harness.expect(
                    0,
                    [
                        "restore", "--to", "latest", "--source", name, "--dry-run", "--into",
                        harness.folder + "/plan",
                    ])
            }
        }
    }

    /// Each is told with how to reach it.
    private func both(_ harness: ArchiveHarness) throws {
        let done = try harness.tidemark(
            ["restore", "--to", "latest", "--into", harness.folder + "/both", "--start"])
        let urls = done.output.split(separator: "\n").map(String.init)
        defer { for url in urls { try? harness.stop(url) } }
        try #require(done.status.isSuccess && urls.count == 2, "\(done.errors)")
        #expect(try harness.ask(urls[0], "GET", "a") == "1")
        #expect(try harness.ask(urls[1], "GET", "b") == "2")
    }
}
