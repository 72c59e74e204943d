import Model
import Mongo
import Platform
import TestKit
import Testing

/// Bad days with a real mongod: kills, an oplog that rolls over, other servers at the old address.
@Suite(.enabled(if: MongodHarness.isThere))
struct MongodBadDayTests {
    /// Restores to the point `end` and compares with what the server has there.
    @discardableResult
    private static func compare(
        _ harness: MongodHarness, _ source: MongodServer, _ words: [String] = []
    ) throws -> MongodServer {
        try harness.expect(0, ["mark", "end"])
        let wanted = try MongodHarness.state(source)
        let target = try MongodServer.start()
        try harness.restore(to: "point:end", into: target, words)
        try MongodHarness.expectSame(target, as: wanted)
        return target
    }

    @Test func `kills of server and sidecar under load lose nothing`() async throws {
        try await offPool {
            let source = try MongodServer.start()
            let harness = try MongodHarness(url: source.url + "/?replicaSet=rs0")
            var sidecar = try harness.startWithBackup()
            let load = try MongodLoad { script throws(TidemarkError) in try source.run(script) }
            var random = SeededRandom(seed: MongodHarness.seed)
            print("the mongod crash test runs with TIDEMARK_CRASH_SEED=\(MongodHarness.seed)")
            for _ in 0..<MongodHarness.rounds(4) {
                Self.pause(Double.random(in: 0.05...1.5, using: &random))
                let victim = Int.random(in: 0..<3, using: &random)
                if victim != 0 { sidecar.kill9() }
                if victim != 1 {
                    source.kill9()
                    try source.start()
                }
                if victim != 0 { sidecar = try harness.start() }
            }
            try harness.waitProved()
            #expect(try load.end() > 0)
            let target = try Self.compare(harness, source)
            #expect(try load.missing(in: target) == 0, "seed \(MongodHarness.seed)")
            let status = try harness.status()
            #expect(status.gaps.isEmpty, "seed \(MongodHarness.seed): \(status)")
            #expect(try sidecar.terminate().isSuccess)
            try harness.expect(0, ["verify", "--deep"])
        }
    }

    /// Lets the clocks go on, so that kills come at random moments.
    private static func pause(_ seconds: Double) {
        _ = Monitor(()).wait(seconds: seconds) { _ in Bool?.none }
    }

    @Test func `an oplog that rolled over is a gap, with a new base backup behind it`()
        async throws
    {
        try await offPool {
            let source = try MongodServer.start(
                MongodServer.Options(arguments: ["--oplogSize", "1"]))
            let harness = try MongodHarness(url: source.url + "/?replicaSet=rs0")
            let first = try harness.startWithBackup()
            try source.run("client.shop.kept.insert_many([{'_id': n} for n in range(100)])")
            try harness.expect(0, ["mark", "before"])
            let before = try MongodHarness.state(source)
            try harness.waitProved()
            #expect(try first.terminate().isSuccess)
            let end = try #require(OpTime(harness.status().archivedPosition ?? ""))
            try source.run(
                """
                import time
                number = 100
                end = time.monotonic() + 110
                while True:
                    client.shop.kept.insert_many(
                        [{"_id": n, "pad": "x" * 2000} for n in range(number, number + 200)])
                    number += 200
                    oldest = client.local["oplog.rs"].find().sort("$natural", 1).limit(1)[0]["ts"]
                    if (oldest.time, oldest.inc) > (\(end.seconds), \(end.increment)): break
                    if time.monotonic() > end: raise Exception("the oplog does not roll over")
                """)
            let second = try harness.start()
            try second.waitForLog("gap in the archive")
            try second.waitForLog("base backup finished")
            try source.run("client.shop.kept.insert_one({'_id': 'after'})")
            try harness.waitProved()
            let gaps = try harness.status().gaps
            #expect(gaps.count == 1, "\(gaps)")
            let inside = OpTime(ordinal: try #require(OpTime(gaps[0].first)).ordinal + 1)
            let refused = try harness.expect(
                3, ["restore", "--to", "optime:\(inside)", "--into", harness.folder + "/lost"])
            #expect(refused.contains("gap"), "\(refused)")
            let target = try Self.compare(harness, source)
            target.kill9()
            let earlier = try MongodServer.start()
            try harness.restore(to: "point:before", into: earlier)
            try MongodHarness.expectSame(earlier, as: before)
            #expect(try second.terminate().isSuccess)
            try harness.expect(0, ["verify", "--deep"])
        }
    }

    @Test func `a server that was put back to an older copy is another timeline`() async throws {
        try await offPool {
            let source = try MongodServer.start()
            let harness = try MongodHarness(url: source.url + "/?replicaSet=rs0")
            let sidecar = try harness.startWithBackup()
            try source.run("client.shop.kept.insert_one({'_id': 'before'})")
            try source.stop()
            try source.keepCopy()
            try source.start()
            try source.run("client.shop.kept.insert_one({'_id': 'lost'})")
            try harness.expect(0, ["mark", "old"])
            let old = try MongodHarness.state(source)
            try harness.waitProved()
            let first = try #require(try harness.status().timeline)
            source.kill9()
            try source.putBackCopy()
            try source.start()
            try source.run("client.shop.kept.insert_one({'_id': 'new'})")
            try sidecar.waitForLog("new timeline")
            try eventually("a base backup of the new timeline is there", seconds: 60) {
                try harness.status().timeline == first + ".2"
                    && sidecar.log.components("base backup finished") == 2
            }
            try harness.waitProved()
            try Self.compare(harness, source)
            let target = try MongodServer.start()
            try harness.restore(to: "point:old", into: target)
            try MongodHarness.expectSame(target, as: old)
            #expect(try sidecar.terminate().isSuccess)
            try harness.expect(0, ["verify", "--deep"])
        }
    }

    @Test func `a set that was initiated anew is not taken for the old one`() async throws {
        try await offPool {
            let source = try MongodServer.start()
            let harness = try MongodHarness(url: source.url + "/?replicaSet=rs0")
            let sidecar = try harness.startWithBackup()
            try source.run("client.shop.kept.insert_one({'_id': 'mine'})")
            try harness.waitProved()
            let end = try #require(try harness.status().archivedPosition)
            try source.stop()
            let gone = SystemTimeSource().wall().text(fractionDigits: 3)
            try source.wipe()
            try source.start()
            try source.run("client.shop.kept.insert_one({'_id': 'a stranger'})")
            try sidecar.waitForLog("the archive belongs to")
            try sidecar.waitForLog("probe answers again")
            let status = try harness.status()
            // That it answers proves nothing.
            #expect(try #require(status.restorableTo) < gone)
            #expect(status.archivedPosition == end && status.state != "streaming", "\(status)")
            let backup = try harness.expect(5, ["backup"])
            #expect(backup.contains("belongs to mongodb"), "\(backup)")
            #expect(try sidecar.terminate().isSuccess)
            let target = try MongodServer.start()
            try harness.restore(to: "latest", into: target)
            #expect(
                try target.run("print([x['_id'] for x in client.shop.kept.find()])") == "['mine']")
        }
    }
}

extension String {
    /// How often `part` stands in it.
    fileprivate func components(_ part: String) -> Int {
        ranges(of: part).count
    }
}
