import Model
import Platform
import TestKit
import Testing

/// A restored copy beside its data: whose it is, what it needs, what is told of it.
struct CopyTests {
    @Test func `a copy is its owner's alone, and says with which settings it loads`() async throws {
        try await offPool {
            let server = try RedisServer.start([
                "databases 32", "maxmemory 300mb", "maxmemory-policy allkeys-lfu",
            ])
            let harness = try ArchiveHarness(server)
            let sidecar = try harness.startWithBackup()
            try server.lines("SELECT 31\nSET a 1\nSET b 2\nSELECT 0\nSET c 3\n")
            try harness.waitArchived()
            #expect(try sidecar.terminate().isSuccess)
            let place = harness.folder + "/copy"
            let done = try harness.tidemark(
                ["restore", "--to", "latest", "--into", "sessions=" + place, "--start"],
                seconds: 120)
            try #require(done.status.isSuccess, "\(done.errors)")
            let url = done.output.split(separator: "\n").last.map(String.init) ?? ""
            defer { _ = try? harness.stop(url) }
            // Keys of each database, and how long it took.
            #expect(done.errors.contains("database 31: keys=2"), "\(done.errors)")
            #expect(done.errors.contains("database 0: keys=1"), "\(done.errors)")
            #expect(done.errors.firstRange(of: /[0-9.]+ s/) != nil, "\(done.errors)")
            // Nobody else may read it, and nothing in it is somebody else's.
            // The server's own log and number lie in the closed folder.
            let open = try shell(
                "find \"$0\" -perm /007 ! -name \\*.log ! -name \\*.pid -exec ls -ld {} +", place)
            #expect(open.isEmpty, "\(open)")
            let owner = try shell("stat -c %u \"$0\"", harness.config).filter(\.isNumber)
            #expect(try shell("find \"$0\" ! -user \"$1\"", place, owner).isEmpty)
            let settings = try shell("cat \"$0\"/tidemark-redis.conf", place)
            for line in [
                "appendonly yes", "databases 32", "maxmemory 314572800",
                "maxmemory-policy allkeys-lfu", "appenddirname \"appendonlydir\"",
            ] {
                #expect(settings.split(separator: "\n").contains(Substring(line)), "\(settings)")
            }
            // Each file of commands begins with SELECT, and none has a transaction.
            let commands = try shell("cat \"$0\"/appendonlydir/*.incr.aof", place)
            #expect(commands.hasPrefix("*2\r\n$6\r\nSELECT\r\n"))
        }
    }
}
