import Glibc
import Model
import Platform
import TestKit
import Testing

/// A restore that a signal ends says what it leaves, and what to do.
@Suite(.timeLimit(.minutes(3)))
struct InterruptedRestoreTests {
    private func begin(
        _ harness: ArchiveHarness, _ words: [String]
    ) throws -> TidemarkProcess {
        try TidemarkProcess(
            ["restore", "--to", "latest"] + words + ["--config", harness.config],
            environment: harness.environment, directory: harness.folder, user: harness.user)
    }

    @Test(arguments: [SIGINT, SIGTERM])
    func `a live server is left a replica, and the advice frees it`(
        _ number: Int32
    ) async throws {
        try await offPool {
            let server = try RedisServer.start()
            try server.command("DEBUG", "POPULATE", "1500")
            let harness = try ArchiveHarness(server)
            #expect(try harness.startWithBackup().terminate().isSuccess)
            // Loads two milliseconds at each key.
            let target = try RedisServer.start(["key-load-delay 2000"])
            let into = ["--into", "sessions=" + target.url]
            let restore = try begin(harness, into)
            try eventually("it loads") { target.log.contains("Loading DB in memory") }
            restore.process.signal(number)
            #expect(restore.process.wait(seconds: 20) == .signalled(number))
            let line =
                "tidemark: interrupted: sessions: 127.0.0.1:\(target.port) is left a replica whose "
                + "primary is gone, and nobody can write to it: send it `REPLICAOF NO ONE`, then "
                + "restore again with --force\n"
            #expect(restore.log.contains(line), "\(restore.log)")
            #expect(restore.process.output.isEmpty)
            try eventually("it has loaded") { try target.info("loading") == "0" }
            #expect(try target.info("role") == "slave")
            try target.command("CONFIG", "SET", "key-load-delay", "0")
            try target.command("REPLICAOF", "NO", "ONE")
            try harness.expect(0, ["restore", "--to", "latest", "--force"] + into)
            #expect(try target.command("DBSIZE") == "1500")
        }
    }

    @Test func `before anything is written it says so`() async throws {
        try await offPool {
            let server = try RedisServer.start()
            let harness = try ArchiveHarness(server)
            #expect(try harness.startWithBackup().terminate().isSuccess)
            // It takes the connection, and never answers.
            let silent = try RedisServer.start()
            let process = try #require(silent.pid)
            kill(process, SIGSTOP)
            defer { kill(process, SIGCONT) }
            let restore = try begin(harness, ["--into", "sessions=" + silent.url])
            // As proc(5) has it: the far end, and 01 for a connection that stands.
            let digits = String(silent.port, radix: 16, uppercase: true)
            let far = "0100007F:" + String(repeating: "0", count: 4 - digits.count) + digits
            try eventually("it has asked") {
                try !shell("grep \"$0\" /proc/net/tcp || :", " \(far) 01 ").isEmpty
            }
            restore.process.signal(SIGINT)
            #expect(restore.process.wait(seconds: 20) == .signalled(SIGINT))
            #expect(
                restore.log.contains("tidemark: interrupted: nothing was written\n"),
                "\(restore.log)")
        }
    }
}
