import Glibc
import Model
import Platform
import TestKit
import Testing

/// Moments at which the archiver was away or stood still, and writes went on.
@Suite(.timeLimit(.minutes(5)))
struct OutageTests {
    /// Writes a command each third of a second, until the body has ended its wait.
    private func writes(
        _ harness: ArchiveHarness, _ key: String, _ count: Int
    ) throws -> [CommitTime] {
        var moments: [CommitTime] = []
        for number in 0..<count {
            try harness.server.command("SET", "\(key)\(number)", "1")
            moments.append(try harness.moment())
            harness.pause(0.3)
        }
        return moments
    }

    /// A moment inside is refused, and names two that hold less and more.
    private func expectRefused(_ harness: ArchiveHarness, _ moment: CommitTime) throws {
        let said = try harness.expect(
            3,
            [
                "restore", "--to", moment.text(fractionDigits: 6), "--into",
                harness.folder + "/refused",
            ])
        let edges = said.split(separator: "`--to ").dropFirst().map {
            String($0.prefix { $0 != "`" })
        }
        try #require(edges.count == 2, "\(said)")
        let before = try harness.restore(to: edges[0], name: "before")
        #expect(try harness.ask(before, "KEYS", "away*") == "")
        #expect(try harness.ask(before, "GET", "there0") == "1")
        let after = try harness.restore(to: edges[1], name: "after")
        #expect(try harness.ask(after, "EXISTS", "away0", "away1", "away11") == "3")
        #expect(try harness.ask(after, "KEYS", "later*") == "")
    }

    @Test func `a moment at which the sidecar was not running is refused when writes went on`()
        async throws
    {
        try await offPool {
            let harness = try ArchiveHarness(try RedisServer.start())
            let sidecar = try harness.startWithBackup()
            let there = try writes(harness, "there", 4)
            try harness.waitProved(there[3])
            #expect(try sidecar.terminate().isSuccess)
            let away = try writes(harness, "away", 12)
            let again = try harness.start()
            try harness.waitProved(away[11])
            harness.pause(2)
            let later = try writes(harness, "later", 4)
            try harness.waitProved(later[3])
            try expectRefused(harness, away[5])
            // Outside nothing is refused.
            for (number, moment) in later.enumerated().prefix(3) {
                let copy = try harness.restore(
                    to: moment.text(fractionDigits: 6), name: "copy\(number)")
                #expect(
                    try harness.ask(copy, "EXISTS", "away11", "later\(number)", "later\(number + 1)")
                        == "2")
            }
            #expect(try again.terminate().isSuccess)
            try harness.expect(0, ["verify", "--deep"])
        }
    }

    @Test func `a moment at which the sidecar stood still is refused when writes went on`()
        async throws
    {
        try await offPool {
            let harness = try ArchiveHarness(try RedisServer.start())
            let sidecar = try harness.startWithBackup()
            let there = try writes(harness, "there", 4)
            try harness.waitProved(there[3])
            harness.pause(1.2)
            sidecar.process.signal(SIGSTOP)
            let away = try writes(harness, "away", 12)
            sidecar.process.signal(SIGCONT)
            try harness.waitProved(away[11])
            harness.pause(2)
            let later = try writes(harness, "later", 2)
            try harness.waitProved(later[1])
            try expectRefused(harness, away[5])
            // A second time without writes: nothing is in doubt.
            sidecar.process.signal(SIGSTOP)
            harness.pause(4)
            let quiet = try harness.moment()
            harness.pause(2)
            sidecar.process.signal(SIGCONT)
            try harness.waitProved(quiet)
            let copy = try harness.restore(to: quiet.text(fractionDigits: 6), name: "quiet")
            #expect(try harness.ask(copy, "EXISTS", "away11", "later1") == "2")
            #expect(try sidecar.terminate().isSuccess)
        }
    }
}
