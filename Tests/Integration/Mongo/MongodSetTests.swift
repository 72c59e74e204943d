import Model
import Mongo
import Platform
import TestKit
import Testing

/// A real replica set of three members that die, stand still and are taken back.
@Suite(.serialized, .enabled(if: MongodHarness.isThere))
struct MongodSetTests {
    /// What a restore to the archive's end has, beside the primary.
    private static func restored(
        _ harness: MongodHarness, _ set: MongodSet
    ) throws -> MongodServer {
        let primary = try set.primary()
        try harness.expect(0, ["mark", "end"])
        let wanted = try MongodHarness.state(primary)
        let target = try MongodServer.start()
        try harness.restore(to: "point:end", into: target)
        try MongodHarness.expectSame(target, as: wanted)
        return target
    }

    @Test func `a primary that is killed under load costs no acknowledged write`() async throws {
        try await offPool {
            let set = try MongodSet()
            let harness = try MongodHarness(url: set.url)
            let sidecar = try harness.startWithBackup()
            let load = try MongodLoad { script throws(TidemarkError) in try set.python(script) }
            try harness.waitProved()
            let primary = try set.primary()
            primary.kill9()
            let next = try set.primary()
            #expect(next.port != primary.port)
            try harness.waitProved()
            // The one that is followed may have been killed too: the other secondary dies, and the
            // first comes back.
            try primary.start()
            try set.waitWhole()
            let other = try #require(set.members.first { $0 !== primary && $0 !== next })
            other.kill9()
            try harness.waitProved()
            let acknowledged = try load.end()
            #expect(acknowledged > 100)
            let target = try Self.restored(harness, set)
            #expect(try load.missing(in: target) == 0)
            #expect(try harness.status().gaps.isEmpty)
            #expect(try sidecar.terminate().isSuccess)
            try harness.expect(0, ["verify", "--deep"])
        }
    }

    @Test func `a primary that steps down under load costs no acknowledged write`() async throws {
        try await offPool {
            let set = try MongodSet()
            let harness = try MongodHarness(url: set.url)
            let sidecar = try harness.startWithBackup()
            let load = try MongodLoad { script throws(TidemarkError) in try set.python(script) }
            try harness.waitProved()
            let primary = try set.primary()
            // Those before 4.2 close all connections then, this one too.
            try primary.run(
                """
                try: client.admin.command("replSetStepDown", 20, secondaryCatchUpPeriodSecs=10)
                except pymongo.errors.AutoReconnect: pass
                """)
            let next = try set.primary()
            #expect(next.port != primary.port)
            try harness.waitProved()
            let acknowledged = try load.end()
            #expect(acknowledged > 100)
            let target = try Self.restored(harness, set)
            #expect(try load.missing(in: target) == 0)
            #expect(try harness.status().gaps.isEmpty)
            #expect(try sidecar.terminate().isSuccess)
            try harness.expect(0, ["verify", "--deep"])
        }
    }

    @Test func `nothing is proved by a primary from whom its set has been cut off`() async throws {
        try await offPool {
            // It believes in itself for ten seconds, while the others could elect another.
            let set = try MongodSet(settings: "\"electionTimeoutMillis\": 10000")
            let harness = try MongodHarness(url: set.url)
            let primary = try set.primary()
            let sidecar = try harness.startWithBackup()
            try harness.waitProved()
            let others = set.members.filter { $0 !== primary }
            for other in others { other.pause() }
            defer { for other in others { other.resume() } }
            let cut = SystemTimeSource().wall().text(fractionDigits: 3)
            var shown: [String] = []
            try eventually("three seconds are exposed") {
                let status = try harness.status()
                shown.append(status.restorableTo ?? "")
                return try #require(status.exposureSeconds) > 3
            }
            let told = try primary.run("print(client.admin.command('isMaster')['ismaster'])")
            #expect(told == "True")
            #expect(shown.allSatisfy { $0 <= cut }, "\(cut): \(shown)")
            for other in others { other.resume() }
            try harness.waitProved()
            #expect(try sidecar.terminate().isSuccess)
        }
    }

    @Test func `what a primary that is cut off took alone is never believed`() async throws {
        try await offPool {
            let set = try MongodSet()
            let harness = try MongodHarness(url: set.url)
            let primary = try set.primary()
            let others = set.members.filter { $0 !== primary }
            let sidecar = try harness.startWithBackup()
            try set.python("client.shop.kept.insert_one({'_id': 'before'})")
            try harness.waitProved()
            // At once, before it learns that it is alone: by then its connections are closed.
            let pids = others.map { String($0.pid) }.joined(separator: ", ")
            let lost = try primary.run(
                """
                import os, signal
                client.admin.command("ping")
                for pid in [\(pids)]: os.kill(pid, signal.SIGSTOP)
                one = pymongo.WriteConcern(1)
                for n in range(200):
                    client.shop.get_collection("kept", write_concern=one).insert_one({"_id": n})
                print(client.admin.command("isMaster")["localTime"]
                    .isoformat(timespec="milliseconds") + "Z")
                """)
            // Nothing is proved of the time in which only this one took writes.
            #expect(try harness.status().restorableTo ?? "" < lost)
            primary.kill9()
            for other in others { other.resume() }
            let next = try set.primary()
            #expect(next.port != primary.port)
            try set.python(
                """
                safe = pymongo.WriteConcern("majority")
                for n in range(1000, 1100):
                    client.shop.get_collection("kept", write_concern=safe).insert_one({"_id": n})
                """)
            // It comes back with writes that no one else has, and takes them back.
            try primary.start()
            try set.waitWhole()
            try harness.waitProved()
            let target = try Self.restored(harness, set)
            // What was under way to the others when it died may have come to them.
            let told = try target.run(
                """
                have = set(x["_id"] for x in client.shop.kept.find())
                print(have >= {"before", *range(1000, 1100)}, len(have & set(range(200))) < 200)
                """)
            #expect(told == "True True")
            #expect(try harness.hasEntries(of: next))
            #expect(try harness.status().gaps.isEmpty)
            #expect(try sidecar.terminate().isSuccess)
            try harness.expect(0, ["verify", "--deep"])
        }
    }

    @Test func `a secondary that stops following its set is left for another member`()
        async throws
    {
        try await offPool {
            let set = try MongodSet()
            let primary = try set.primary()
            let others = set.members.filter { $0 !== primary }
            let harness = try MongodHarness(url: set.url)
            // Only one secondary is there to be followed.
            others[1].kill9()
            let sidecar = try harness.startWithBackup()
            try others[1].start()
            try set.waitWhole()
            try harness.waitProved()
            try others[0].run("client.admin.command('fsync', lock=True)")
            try set.python(
                """
                safe = pymongo.WriteConcern("majority")
                kept = client.shop.get_collection("kept", write_concern=safe)
                kept.insert_many([{"_id": n} for n in range(50)])
                """)
            let written = SystemTimeSource().wall().text(fractionDigits: 3)
            let lines = { (text: String) in
                sidecar.log.split(separator: "\n").filter { $0.contains(text) }
            }
            let isLeft = { !lines("it has stopped following its set").isEmpty }
            var shown: [(exposure: Double, restorable: String)] = []
            try eventually("the stream goes to another member", seconds: 60) {
                let status = try harness.status()
                // As long as it stands still, what is shown grows.
                if !isLeft() {
                    shown.append((status.exposureSeconds ?? 0, status.restorableTo ?? ""))
                }
                return isLeft()
            }
            #expect(shown.allSatisfy { $0.restorable < written }, "\(written): \(shown)")
            #expect(try #require(shown.last).exposure > 10, "\(shown)")
            #expect(zip(shown, shown.dropFirst()).allSatisfy { $0.exposure < $1.exposure })
            try harness.waitProved()
            #expect(lines("it has stopped following its set").count == 1)
            #expect(lines("it has stopped")[0].contains(":\(others[0].port)"))
            #expect(lines("the stream failed").isEmpty, "\(sidecar.log)")
            #expect(try harness.status().gaps.isEmpty)
            try others[0].run("client.admin.command('fsyncUnlock')")
            let target = try Self.restored(harness, set)
            #expect(try target.run("print(client.shop.kept.count_documents({}))") == "50")
            #expect(try sidecar.terminate().isSuccess)
            try harness.expect(0, ["verify", "--deep"])
        }
    }

    @Test func `a secondary that lags behind the archive is passed over until it comes there`()
        async throws
    {
        try await offPool {
            let set = try MongodSet()
            let primary = try set.primary()
            let others = set.members.filter { $0 !== primary }
            // The primary is archived, so that the archive goes beyond a secondary that stands.
            let harness = try MongodHarness(url: primary.url)
            let first = try harness.startWithBackup()
            try harness.waitProved()
            try others[0].run("client.admin.command('fsync', lock=True)")
            try set.python("client.shop.kept.insert_many([{'_id': n} for n in range(50)])")
            try harness.waitProved()
            #expect(try first.terminate().isSuccess)
            // Of two secondaries the other could be chosen.
            others[1].kill9()
            try harness.write(url: set.url)
            let sidecar = try harness.start()
            try sidecar.waitForLog("a member is passed over", seconds: 60)
            let lines = { (text: String) in
                sidecar.log.split(separator: "\n").filter { $0.contains(text) }
            }
            // Each has a line of its own; that of the other, which is down, may come first.
            try eventually("the one that stands is told: \(sidecar.log)", seconds: 20) {
                lines("a member is passed over").contains {
                    $0.contains(":\(others[0].port)") && $0.contains("not come")
                }
            }
            #expect(lines("the stream failed").isEmpty, "\(sidecar.log)")
            try others[0].run("client.admin.command('fsyncUnlock')")
            try others[1].start()
            try set.waitWhole()
            try harness.waitProved()
            let again = lines("a member is passed over").filter {
                $0.contains(":\(others[0].port)")
            }
            #expect(again.count == 1, "\(again)")
            let target = try Self.restored(harness, set)
            #expect(try target.run("print(client.shop.kept.count_documents({}))") == "50")
            #expect(try sidecar.terminate().isSuccess)
        }
    }
}
