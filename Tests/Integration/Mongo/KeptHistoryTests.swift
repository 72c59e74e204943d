import Model
import Mongo
import Platform
import TestKit
import Testing

/// What is not lost although it looks so, and what a change of the mode does to an archive.
struct KeptHistoryTests {
    @Test func `a secondary with a short oplog makes no gap while the primary has everything`()
        async throws
    {
        try await offPool {
            let harness = try ArchiveHarness("shop")
            let secondary = try MongoDouble(entries: harness.entries, visible: 1)
            let base = harness.double.state.read { $0.collections }
            secondary.state.update { $0.collections = base }
            MongoDouble.join([harness.double, secondary])
            let first = try harness.startWithBackup()
            for member in [harness.double, secondary] { member.write(50) }
            try harness.waitArchived()
            #expect(try first.terminate().isSuccess)
            for member in [harness.double, secondary] { member.writeAll() }
            secondary.truncate(keepingFrom: 200)
            let second = try harness.start()
            try harness.waitArchived()
            #expect(!second.log.contains("history was lost"))
            #expect(!second.log.contains("gap in the archive"))
            #expect(try harness.status().gaps.isEmpty)
            #expect(try harness.archivedOplog() == harness.entries.dropFirst().flatMap { $0 })
            #expect(try second.terminate().isSuccess)
            try harness.expect(0, ["verify", "--deep"])
        }
    }

    @Test func `a change of the mode is a gap, a new timeline and a new base backup, and back`()
        async throws
    {
        try await offPool {
            let harness = try ArchiveHarness("shop")
            let first = try harness.startWithBackup()
            harness.double.write(50)
            try harness.waitArchived()
            #expect(try first.terminate().isSuccess)
            let oplog = try #require(harness.status().timeline)
            try change(harness, to: "changeStream", reason: "the archive of lessons holds an oplog")
            let changes = try #require(harness.status().timeline)
            #expect(changes == oplog + ".changes")
            let events = try harness.restore(to: "latest", name: "events")
            #expect(try !harness.content(events + "/changes.bson").isEmpty)
            // What was archived before can still be had.
            let end = try #require(BSONDocument(harness.entries[50])["ts"]?.timestamp)
            try harness.expect(
                0,
                [
                    "restore", "--to", "optime:\(end)", "--timeline", oplog, "--into",
                    "lessons=\(harness.folder)/before",
                ])
            #expect(
                try harness.content(harness.folder + "/before/oplog.bson")
                    == harness.entries[1...50].flatMap { $0 })
            try change(harness, to: "oplog", reason: "the archive holds change streams")
            #expect(try harness.status().timeline == oplog + ".2")
            // Without a mode an archive stays with what it has.
            try harness.configure("")
            let last = try harness.start()
            harness.double.writeAll()
            try harness.waitArchived()
            #expect(try harness.status().timeline == oplog + ".2")
            #expect(try harness.status().gaps.count == 2)
            #expect(try last.terminate().isSuccess)
            try harness.expect(0, ["verify", "--deep"])
        }
    }

    @Test func `what came before history was lost amid a session is in the archive`() async throws {
        try await offPool {
            let harness = try ArchiveHarness("shop")
            let sidecar = try harness.startWithBackup()
            harness.double.writeAll()
            try harness.waitArchived()
            let known = harness.entries.count
            let large = try self.large(behind: #require(harness.entries.last), 8)
            harness.double.state.update { state in
                for bytes in large { state.add(bytes) }
                state.batchBytes = 1 << 20
                // Once the first have been sent, in an answer that more follows, all but the last
                // have fallen off.
                state.meanwhile["getMore"] = { state, _ in
                    if state.sent > known, state.first == 0 {
                        state.first = known + 7
                        state.failures["getMore"] = .init(136, "CappedPositionLost", "deleted")
                    } else {
                        state.failures["getMore"] = nil
                    }
                }
            }
            harness.double.writeAll()
            try sidecar.waitForLog("gap in the archive", seconds: 60)
            try sidecar.waitForLog("history was lost", seconds: 60)
            try harness.waitArchived()
            let sent = 4
            let kept = harness.entries.dropFirst() + large[..<sent] + large[7...]
            #expect(try harness.archivedOplog() == kept.flatMap { $0 })
            let gaps = try harness.status().gaps
            let first = try BSONDocument(large[sent - 1])["ts"]?.timestamp
            #expect(gaps.count == 1 && gaps.first.flatMap { OpTime($0.first) } == first)
            #expect(try sidecar.terminate().isSuccess)
        }
    }

    /// Entries of 300 KB.
    private func large(behind last: [UInt8], _ count: UInt32) throws -> [[UInt8]] {
        let entry = try BSONDocument(last)
        let time = try #require(entry["ts"]?.timestamp)
        return (1...count).map { number in
            let content = BSONDocument([
                ("_id", .int32(Int32(number))),
                ("x", .binary([UInt8](repeating: UInt8(number), count: 300_000))),
            ])
            let ts = OpTime(seconds: time.seconds, increment: time.increment + number)
            return entry.setting("o", .document(content)).setting("op", .string("i"))
                .setting("ts", .timestamp(ts)).bytes
        }
    }

    /// Goes on with that mode, and writes some more.
    private func change(_ harness: ArchiveHarness, to mode: String, reason: String) throws {
        try harness.configure("&mode=" + mode)
        let sidecar = try harness.start()
        try sidecar.waitForLog(reason, seconds: 60)
        try sidecar.waitForLog("gap in the archive", seconds: 60)
        try sidecar.waitForLog("base backup finished", seconds: 60)
        harness.double.write(60)
        try harness.waitArchived()
        // The gap is one until the new base backup is in the catalog.
        try eventually("the source streams", seconds: 60) {
            try harness.status().state == "streaming"
        }
        #expect(try sidecar.terminate().isSuccess)
    }

    @Test func `a transaction larger than memory may be is archived whole, also across a kill`()
        async throws
    {
        try await offPool {
            let harness = try ArchiveHarness("shop", options: "&mode=changeStream")
            let first = try harness.startWithBackup()
            harness.double.writeAll()
            try harness.waitArchived()
            let before = try #require(harness.status().archivedPosition)
            var random = SeededRandom(seed: 7)
            // LZ4 looks back 64 KiB, so a block that is repeated stays as it is.
            let block = (0..<1 << 20).map { _ in UInt8.random(in: 0...255, using: &random) }
            harness.double.state.update { $0.failsAtEvent = $0.events.count + 70 }
            harness.double.transaction(300) { [UInt8(truncatingIfNeeded: $0)] + block }
            try first.waitForLog("closed the change stream within a transaction", seconds: 90)
            first.kill9()
            // Its parts are there, and nothing of it counts.
            #expect(try harness.status().archivedPosition == before)
            harness.double.state.update { $0.failsAtEvent = nil }
            let second = try harness.start()
            try harness.waitArchived(seconds: 120)
            // Most of it was never held.
            #expect(try #require(second.peakMebibytes) < 300)
            #expect(try second.terminate().isSuccess)
            try harness.expect(0, ["verify", "--deep"])
            let told = harness.double.state.read { $0.events.suffix(300).map(\.bytes) }
            let place = try harness.restore(to: "latest", name: "whole")
            let restored = try MongoFixture.documents(harness.content(place + "/changes.bson"))
            #expect(try large(restored) == told)
            #expect(try harness.status().gaps.isEmpty)
        }
    }

    private func large(_ documents: [[UInt8]]) throws -> [[UInt8]] {
        try documents.filter {
            try BSONDocument($0)["ns"]?.document?["coll"]?.string == "large"
        }
    }
}
