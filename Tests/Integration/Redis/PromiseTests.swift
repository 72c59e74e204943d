import FoundationEssentials
import Model
import Platform
import TestKit
import Testing
import Glibc

/// What `list`, `status` and the page promise, against what a restore does, where the archive
/// looked away under load.
@Suite(.timeLimit(.minutes(5)))
struct PromiseTests {
    /// `/api/moment`, as far as the test looks.
    private struct Moment: Decodable {
        struct Source: Decodable {
            var isRestorable: Bool
            var reason: String?
            var nearestBefore: String?
            var nearestAfter: String?

            enum CodingKeys: String, CodingKey {
                case reason
                case isRestorable = "is_restorable"
                case nearestBefore = "nearest_before"
                case nearestAfter = "nearest_after"
            }
        }
        var sources: [Source]
    }

    private static func read<T: Decodable>(_ type: T.Type, _ text: String) throws -> T {
        try JSONDecoder().decode(type, from: Data(text.utf8))
    }

    private static func listed(_ harness: ArchiveHarness) throws -> PromisedWindows {
        let done = try harness.tidemark(["list", "--json"])
        try #require(done.status.isSuccess, "\(done.errors)")
        return try PromisedWindows(done.output)
    }

    private static func moment(_ port: Int, _ at: CommitTime) throws -> Moment.Source {
        let body = try LoopbackHTTP.get(port, "/api/moment?at=\(at)").body
        return try #require(try read(Moment.self, body).sources.first)
    }

    /// The page reads the archive now and again, and meanwhile tells less.
    private static func awaitPage(_ port: Int, _ list: PromisedWindows) throws {
        let ends = try list.all.flatMap { [$0.from, $0.to] }.map {
            try #require(CommitTime($0))
        }
        try eventually("the page knows what the list tells", seconds: 90) {
            try ends.allSatisfy { try moment(port, $0).isRestorable }
        }
    }

    /// Whether a restore to a moment is accepted; every refusal must be one of time.
    private static func isAccepted(_ harness: ArchiveHarness, _ at: CommitTime) throws -> Bool {
        let done = try harness.tidemark([
            "restore", "--dry-run", "--to", at.description, "--into",
            "sessions=" + harness.folder + "/dry",
        ])
        try #require(
            done.status.isSuccess || done.status == .exited(3), "\(at): \(done.errors)")
        return done.status.isSuccess
    }

    /// Whether all that tells of a moment tells what a restore does; what the page says of it.
    private static func compare(
        _ harness: ArchiveHarness, _ port: Int, _ list: PromisedWindows, _ at: CommitTime,
        _ note: String
    ) throws -> Moment.Source {
        let isAccepted = try isAccepted(harness, at)
        #expect(list.contains(at) == isAccepted, "\(note): list, \(at)")
        let told = try moment(port, at)
        #expect(told.isRestorable == isAccepted, "\(note): moment, \(at)")
        let status = try PromisedWindows(LoopbackHTTP.get(port, "/api/status").body)
        #expect(status.contains(at) == isAccepted, "\(note): status, \(at)")
        return told
    }

    private static func random(
        _ from: CommitTime, _ to: CommitTime, _ random: inout SeededRandom
    ) -> CommitTime {
        let span = UInt64(max(1, to.seconds(since: from) * 1000))
        // Whole milliseconds, as windows are told in.
        return CommitTime(
            microseconds: from.microseconds / 1000 * 1000 + Int64(random.next() % span) * 1000)
    }

    @Test(arguments: [UInt64.random(in: 0..<1_000_000)])
    func `each moment that is promised after an outage under load is accepted, no other one`(
        seed: UInt64
    ) async throws {
        try await offPool {
            let server = try RedisServer.start(["repl-backlog-size 256mb"])
            let port = try freePort()
            let harness = try ArchiveHarness(server)
            try harness.watch(port)
            let sidecar = try harness.startWithBackup()
            let load = CounterLoad(server, valueBytes: 10, pause: 0.3)
            let began = try harness.moment()
            harness.pause(2)
            sidecar.kill9()
            let left = try harness.moment()
            harness.pause(10)
            let back = try harness.moment()
            let again = try harness.start()
            try again.waitForLog("stream opened")
            harness.pause(2)
            try load.stop()
            try harness.waitArchived()
            let end = try harness.moment()
            try harness.waitProved(end)
            try eventually("the page knows the outage") {
                try Self.moment(port, left.advanced(bySeconds: 5)).isRestorable == false
            }

            var random = SeededRandom(seed: seed)
            let list = try Self.listed(harness)
            try Self.awaitPage(port, list)
            var refused = 0
            for round in 0..<30 {
                let at =
                    round % 2 == 0
                    ? Self.random(began, end, &random)
                    : Self.random(
                        left.advanced(bySeconds: -1), back.advanced(bySeconds: 2), &random)
                let isAccepted = try Self.isAccepted(harness, at)
                let told = try Self.moment(port, at)
                #expect(list.contains(at) == isAccepted, "seed \(seed): list, \(at)")
                #expect(told.isRestorable == isAccepted, "seed \(seed): moment, \(at)")
                guard !isAccepted else { continue }
                refused += 1
                #expect(told.reason?.contains("after an outage") == true, "\(at): \(told)")
                for near in [told.nearestBefore, told.nearestAfter] {
                    let moment = try #require(near.flatMap { CommitTime($0) }, "\(at)")
                    #expect(
                        try Self.isAccepted(harness, moment),
                        "seed \(seed): \(moment) for \(at), \(told)")
                }
            }
            #expect(refused > 5, "seed \(seed)")
            #expect(try again.terminate().isSuccess)
        }
    }

    @Test(arguments: [UInt64.random(in: 0..<1_000_000)])
    func `each moment before a failover that is promised is accepted, no other one`(
        seed: UInt64
    ) async throws {
        try await offPool {
            let server = try RedisServer.start([
                "repl-backlog-size 256mb", "repl-ping-replica-period 45",
            ])
            let port = try freePort()
            let harness = try ArchiveHarness(server)
            try harness.watch(port)
            let sidecar = try harness.startWithBackup()
            let began = try harness.moment()
            let load = CounterLoad(server, valueBytes: 10, pause: 0.3)
            harness.pause(3)
            try load.stop()
            try harness.waitArchived()
            let before = try Self.listed(harness)
            let left = try harness.moment()
            harness.pause(2)
            // The new history has commands before anybody is connected to it.
            let timeline = try harness.timeline()
            try server.lines("REPLICAOF 127.0.0.1 1\nREPLICAOF NO ONE\nSET first 1\nINCR n0\n")
            try eventually("the new history is followed", seconds: 60) {
                try harness.status().timeline != timeline
            }
            let again = CounterLoad(server, valueBytes: 10, pause: 0.3)
            harness.pause(2)
            try again.stop()
            try harness.waitArchived()
            let end = try harness.moment()
            try harness.waitProved(end)
            let list = try Self.listed(harness)
            try Self.awaitPage(port, list)

            var random = SeededRandom(seed: seed)
            var refused = 0
            var kept = 0
            for round in 0..<30 {
                // How long each part takes depends on the machine: each gets its share.
                let at =
                    switch round % 3 {
                    case 0:
                        Self.random(
                            left.advanced(bySeconds: -0.4), left.advanced(bySeconds: 3), &random)
                    case 1: Self.random(began, left, &random)
                    default: Self.random(began, end, &random)
                    }
                let isAccepted = try Self.isAccepted(harness, at)
                #expect(list.contains(at) == isAccepted, "seed \(seed): list, \(at)")
                #expect(
                    try Self.moment(port, at).isRestorable == isAccepted,
                    "seed \(seed): moment, \(at)")
                refused += isAccepted ? 0 : 1
                kept += isAccepted && before.contains(at) ? 1 : 0
            }
            #expect(refused > 3, "seed \(seed)")
            #expect(kept > 3, "seed \(seed)")
            #expect(try sidecar.terminate().isSuccess)
        }
    }

    /// The archive goes over to the promoted one while the old one still takes writes: what the old
    /// one took behind the fork is a branch that it holds.
    @Test(arguments: [false, true])
    func `each moment around a takeover that is promised is accepted, no other one`(
        isBusy: Bool
    ) async throws {
        try await offPool {
            let seed = UInt64.random(in: 0..<1_000_000)
            let old = try RedisServer.start(["repl-backlog-size 256mb"])
            let new = try RedisServer.start([
                "replicaof 127.0.0.1 \(old.port)", "repl-backlog-size 256mb",
            ])
            try eventually("the replica is in step") {
                try new.info("master_link_status") == "up"
            }
            let port = try freePort()
            let harness = try ArchiveHarness(old)
            try harness.watch(port)
            let first = try harness.startWithBackup()
            let began = try harness.moment()
            let load = CounterLoad(old, valueBytes: 10, pause: 0.05)
            harness.pause(2)
            try new.command("REPLICAOF", "NO", "ONE")
            let left = try harness.moment()
            // A busy one has commands of its own before anybody is connected to it.
            if isBusy { try new.command("SET", "early", "1") }
            harness.pause(2)
            try load.stop()
            try harness.waitArchived()
            let shared = try harness.timeline()
            #expect(try first.terminate().isSuccess)
            try harness.write(
                [("sessions", new.url)], ["segment: { age: 10s }"], listen: "127.0.0.1:\(port)")
            let second = try harness.start()
            try eventually("the promoted one is followed", seconds: 60) {
                try harness.status().timeline != shared
            }
            harness.pause(1)
            let again = CounterLoad(new, valueBytes: 10, pause: 0.05)
            let back = try harness.moment()
            harness.pause(2)
            try again.stop()
            let end = try harness.moment()
            try harness.waitProved(end)
            let list = try Self.listed(harness)
            try eventually("the page knows what the list tells", seconds: 90) {
                let body = try LoopbackHTTP.get(port, "/api/status").body
                let told = try PromisedWindows(body)
                return told.all.dropLast().map { [$0.from, $0.to] }
                    == list.all.dropLast().map { [$0.from, $0.to] }
                    && told.contains(end)
            }

            var random = SeededRandom(seed: seed)
            var refused = 0
            for round in 0..<40 {
                let at =
                    round % 3 == 0
                    ? Self.random(began, end, &random)
                    : Self.random(
                        [left, back][round % 2].advanced(bySeconds: -0.3),
                        [left, back][round % 2].advanced(bySeconds: 0.3), &random)
                let told = try Self.compare(harness, port, list, at, "seed \(seed)")
                refused += told.isRestorable ? 0 : 1
                if !isBusy, !told.isRestorable {
                    #expect(told.reason?.contains("--timeline \(shared)") == true, "\(told)")
                }
            }
            #expect(refused > 5, "seed \(seed)")
            #expect(try second.terminate().isSuccess)
        }
    }

    @Test func `a sidecar that was held up promises nothing of it, not even at once`()
        async throws
    {
        try await offPool {
            let server = try RedisServer.start(["repl-backlog-size 256mb"])
            let port = try freePort()
            let harness = try ArchiveHarness(server)
            try harness.watch(port)
            let sidecar = try harness.startWithBackup()
            let load = CounterLoad(server, valueBytes: 10, pause: 0.3)
            try harness.waitProved(try harness.moment())
            sidecar.process.signal(SIGSTOP)
            let left = try harness.moment()
            harness.pause(3)
            let back = try harness.moment()
            sidecar.process.signal(SIGCONT)
            let inside = (1...4).map {
                left.advanced(bySeconds: back.seconds(since: left) * Double($0) / 5)
            }
            // What is said while it catches up, from memory over an older look at the archive.
            var told: [PromisedWindows] = []
            let bound = back.advanced(bySeconds: 1).description
            try eventually("it has caught up") {
                let body = try LoopbackHTTP.get(port, "/api/status").body
                told.append(try PromisedWindows(body))
                return told.last?.all.last.map { $0.to > bound } ?? false
                    && told.count > 20
            }
            try load.stop()
            try harness.waitProved(back)
            try harness.waitArchived()
            for at in inside {
                #expect(try !Self.isAccepted(harness, at), "\(at)")
                #expect(!told.contains { $0.contains(at) }, "\(at)")
                #expect(try !Self.listed(harness).contains(at), "\(at)")
            }
            #expect(try sidecar.terminate().isSuccess)
        }
    }
}
