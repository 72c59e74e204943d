import Model
import Mongo
import Platform
import TestKit
import Testing

/// `restore --start` of sources of which some can be started on their folder and some cannot.
struct StartedRestoreTests {
    @Test func `what can be started is, and MongoDB's folder is a dump with what to do with it`()
        async throws
    {
        try await offPool {
            let harness = try ArchiveHarness("shop")
            let redis = try RedisServer.start()
            let text = """
                repository: { url: "file://\(harness.archive)" }
                sources:
                  lessons: { url: "\(harness.double.url)", rpo: 1h }
                  sessions: { url: "\(redis.url)", rpo: 1h }
                """
            try Subprocess.run(
                "/bin/sh", ["-c", "cat > \"$0\"", harness.config],
                SubprocessOptions(user: harness.user, input: Array((text + "\n").utf8)),
                seconds: 20)
            try redis.command("SET", "a", "1")
            let sidecar = try harness.start()
            try eventually("both have base backups", seconds: 90) {
                sidecar.log.ranges(of: "base backup finished").count == 2
            }
            harness.double.writeAll()
            try harness.waitArchived()
            let into = ["--into", harness.folder + "/all"]
            let words = ["restore", "--to", "latest", "--start"] + into
            try eventually("both can be restored", seconds: 60) {
                try harness.tidemark(words + ["--dry-run"]).status.isSuccess
            }
            #expect(try sidecar.terminate().isSuccess)
            let plan = try harness.expect(0, words + ["--dry-run"])
            #expect(plan.contains("warning: no server is started for it: a MongoDB dump"))
            let done = try harness.tidemark(words)
            let urls = done.output.split(separator: "\n").map(String.init)
            defer {
                for url in urls {
                    _ = try? Subprocess.run(
                        "redis-cli", ["-u", url, "SHUTDOWN", "NOSAVE"], seconds: 20)
                }
            }
            try #require(done.status.isSuccess && urls.count == 1, "\(done.errors)")
            let told = try Subprocess.run("redis-cli", ["-u", urls[0], "GET", "a"], seconds: 20)
            #expect(told.output == "1\n")
            let dump = harness.folder + "/all/lessons"
            #expect(try harness.content(dump + "/oplog.bson").count > 1000)
            #expect(done.errors.contains("lessons: warning: no server is started for it: a Mongo"))
            #expect(done.errors.contains("`mongorestore --oplogReplay \(dump)`"), "\(done.errors)")
            #expect(!done.errors.contains("sessions: warning: no server"), "\(done.errors)")
            // By itself it is no other way.
            let alone = try harness.expect(
                0,
                [
                    "restore", "--to", "latest", "--start", "--source", "lessons", "--into",
                    harness.folder + "/alone",
                ])
            #expect(alone.contains("lessons: warning: no server is started for it"), "\(alone)")
            let written = try harness.content(harness.folder + "/alone/lessons/oplog.bson")
            #expect(try written == harness.content(dump + "/oplog.bson"))
        }
    }
}
