import Model
import Platform
import TestKit
import Testing

/// Folders that hold something, and disks that hold no more.
@Suite(.timeLimit(.minutes(3)))
struct OccupiedFolderTests {
    @Test func `what a server or a restore has left is replaced when that is asked for`()
        async throws
    {
        try await offPool {
            let server = try RedisServer.start()
            let harness = try ArchiveHarness(server)
            let sidecar = try harness.startWithBackup()
            try server.command("SET", "a", "1")
            let known = try server.offset()
            try server.command("SET", "a", "2")
            try harness.waitArchived()
            #expect(try sidecar.terminate().isSuccess)
            let copy = try harness.restore(to: "latest")
            try harness.ask(copy, "SET", "mine", "1")
            let into = ["--into", harness.folder + "/copy"]
            let words = ["restore", "--to", "offset:\(known)"] + into
            #expect(try harness.expect(2, words).contains("is not empty"))
            let running = try harness.expect(2, words + ["--force"])
            #expect(running.contains("runs on") && running.contains("stop it first: kill "))
            #expect(try harness.ask(copy, "MGET", "a", "mine") == "2\n1")
            try harness.stop(copy)
            let stranger = harness.folder + "/copy/sessions/letter.txt"
            try shell("printf x > \"$0\"", stranger)
            #expect(try harness.expect(2, words + ["--force"]).contains("letter.txt"))
            #expect(try shell("cat \"$0\"", stranger) == "x")
            try shell("rm \"$0\"", stranger)
            let again = try harness.restore(to: "offset:\(known)", ["--force"])
            #expect(try harness.ask(again, "MGET", "a", "mine") == "1\n")
        }
    }

    @Test func `a disk that a copy fills up holds nothing that a server starts from`()
        async throws
    {
        try await offPool {
            let server = try RedisServer.start(["rdbcompression no"])
            try server.command("DEBUG", "POPULATE", "40000", "key", "200")
            let harness = try ArchiveHarness(server)
            #expect(try harness.startWithBackup().terminate().isSuccess)
            let place = harness.folder + "/small"
            try shell("mkdir \"$0\"", place)
            let disk = try SmallFileSystem(at: place, mebibytes: 4, owner: harness.user)
            let words = ["restore", "--to", "latest", "--into", "sessions=" + place + "/copy"]
            let said = try harness.expect(1, words)
            #expect(said.contains("No space left on device"), "\(said)")
            let loading = try RedisServer(["dir \(place)/copy", "appendonly yes"])
            #expect(throws: TidemarkError.self) { try loading.start(seconds: 20) }
            withExtendedLifetime(disk) {}
        }
    }
}
