import Glibc
import Model
import Mongo
import Platform
import TestKit
import Testing

/// The whole way: the wire double with recorded entries, `tidemark run` beside it, and a restore.
struct ArchiveTests {
    @Test func `an oplog is archived byte for byte, restored to each kind of target, and exported`()
        async throws
    {
        try await offPool {
            let harness = try ArchiveHarness("shop")
            let sidecar = try harness.startWithBackup()
            harness.double.writeAll()
            try harness.waitArchived()
            let all = Array(harness.entries.dropFirst())
            // `lz4 -dc` of the segments is an oplog.bson.
            #expect(try harness.archivedOplog() == all.flatMap { $0 })
            let status = try harness.status()
            #expect(status.state == "streaming")
            #expect(status.sourceWindow?.kind == "oplog")
            try harness.expect(0, ["verify", "--deep"])
            try restoreToEachKind(harness, all)
            try export(harness, all)

            try harness.expect(0, ["mark", "end-of-term"])
            try harness.waitArchived()
            let marked = try harness.restore(to: "point:end-of-term", name: "marked")
            let oplog = try MongoFixture.documents(harness.content(marked + "/oplog.bson"))
            #expect(oplog.count == all.count + 1 && Array(oplog.dropLast()) == all)
            try harness.expect(0, ["check"])
            #expect(try sidecar.terminate().isSuccess)
            try harness.expect(0, ["verify", "--deep"])
        }
    }

    private func restoreToEachKind(_ harness: ArchiveHarness, _ all: [[UInt8]]) throws {
        let moment = SystemTimeSource().wall()
        try harness.waitProved(moment)
        for target in ["latest", moment.text(fractionDigits: 3)] {
            let place = try harness.restore(to: target, name: "whole-" + target)
            #expect(try harness.content(place + "/oplog.bson") == all.flatMap { $0 })
            for (namespace, _, documents) in try harness.fixture.base() where !documents.isEmpty {
                if namespace == Namespace("admin", "system.version") { continue }
                let dumped = try harness.content(
                    "\(place)/\(namespace.database)/\(namespace.collection).bson")
                #expect(dumped == documents.flatMap(\.bytes), "\(namespace)")
            }
        }
        for cut in try harness.fixture.cuts() {
            let place = try harness.restore(to: "optime:\(cut.ts)", name: cut.name)
            let entries = try MongoFixture.documents(harness.content(place + "/oplog.bson"))
            #expect(try BSONDocument(#require(entries.last))["ts"]?.timestamp == cut.ts)
        }
        let found = try harness.expect(0, ["find"])
        #expect(found.contains("shop.orders") && found.contains("dropDatabase"))
    }

    private func export(_ harness: ArchiveHarness, _ all: [[UInt8]]) throws {
        let times = try all.map { try #require(BSONDocument($0)["ts"]?.timestamp) }
        let last = all.count - 1
        for (name, from, to, kept) in [
            ("middle", "optime:\(times[9])", "optime:\(times[99])", all[10...99]),
            ("end", "optime:\(times[last - 5])", "optime:\(times[last])", all[(last - 4)...]),
            ("latest", "optime:\(times[99])", "latest", all[100...]),
        ] {
            let folder = "\(harness.folder)/export-\(name)"
            try harness.expect(
                0, ["export", "lessons", "--from", from, "--to", to, "--into", folder])
            #expect(
                try harness.content(folder + "/oplog.bson") == kept.flatMap { $0 }, "\(name)")
        }
    }

    /// 6; `TIDEMARK_CRASH_ROUNDS` says otherwise.
    private static let rounds =
        getenv("TIDEMARK_CRASH_ROUNDS").flatMap { Int(String(cString: $0)) } ?? 6

    /// `TIDEMARK_CRASH_SEED` repeats a run's pauses.
    private static let seed =
        getenv("TIDEMARK_CRASH_SEED").flatMap { UInt64(String(cString: $0)) }
        ?? UInt64.random(in: 1...1_000_000_000)

    @Test func `the sidecar goes on where it was killed, at random moments`() async throws {
        try await offPool {
            let comment = Comment(rawValue: "TIDEMARK_CRASH_SEED=\(Self.seed)")
            print("\(Self.rounds) rounds with TIDEMARK_CRASH_SEED=\(Self.seed)")
            var random = SeededRandom(seed: Self.seed)
            let harness = try ArchiveHarness("shop")
            // Killed in its first base backup, or before or behind it, too.
            for _ in 0..<Self.rounds {
                let sidecar = try harness.start()
                harness.pause(Double.random(in: 0.05...1.2, using: &random))
                sidecar.kill9()
            }
            // One that was killed late may have finished it already.
            let patient = try harness.start()
            // Those before it may have been killed before they made an archive.
            try patient.waitForLog("stream opened", seconds: 60)
            try eventually("there is a base backup", seconds: 90) {
                try harness.status().lastBackup != nil
            }
            patient.kill9()
            let step = harness.entries.count / Self.rounds
            for _ in 0..<Self.rounds {
                let sidecar = try harness.start()
                try sidecar.waitForLog("stream opened", seconds: 60)
                harness.double.write(Int.random(in: 1...step, using: &random))
                if Bool.random(using: &random) { harness.double.killCursors() }
                harness.pause(Double.random(in: 0...1.5, using: &random))
                sidecar.kill9()
            }
            let sidecar = try harness.start()
            harness.double.writeAll()
            try harness.waitArchived()
            #expect(
                try harness.archivedOplog() == harness.entries.dropFirst().flatMap { $0 }, comment)
            #expect(try harness.status().gaps.isEmpty, comment)
            #expect(try sidecar.terminate().isSuccess, comment)
            try harness.expect(0, ["verify", "--deep"])
        }
    }

    @Test func `an oplog that rolls over while nobody looks is a gap with a new base behind it`()
        async throws
    {
        try await offPool {
            let harness = try ArchiveHarness("shop")
            let first = try harness.startWithBackup()
            harness.double.write(50)
            try harness.waitArchived()
            #expect(try first.terminate().isSuccess)
            harness.double.writeAll()
            harness.double.truncate(keepingFrom: 200)
            let second = try harness.start()
            try second.waitForLog("gap in the archive", seconds: 60)
            try second.waitForLog("base backup finished", seconds: 60)
            try harness.waitArchived()
            #expect(try harness.status().gaps.count == 1)
            // What was still there has been kept.
            let all = try harness.archivedOplog()
            let kept = Array(harness.entries[1...50] + harness.entries[200...]).flatMap { $0 }
            #expect(all == kept)
            let inside = try BSONDocument(harness.entries[100])["ts"]!.timestamp!
            try harness.expect(
                3,
                [
                    "restore", "--to", "optime:\(inside)", "--into", harness.folder + "/lost",
                ])
            #expect(try second.terminate().isSuccess)
        }
    }

    @Test func `verify names a file in GridFS of which a chunk is missing, and ends with status 4`()
        async throws
    {
        try await offPool {
            let harness = try ArchiveHarness("shop")
            harness.double.state.update { state in
                _ = state.collections[Namespace("files", "fs.chunks")]?.documents.removeLast()
            }
            let sidecar = try harness.startWithBackup()
            #expect(try sidecar.terminate().isSuccess)
            // Names and footers are sound; only what lies inside does not fit together.
            try harness.expect(0, ["verify"])
            let said = try harness.expect(4, ["verify", "--deep"])
            #expect(said.contains("GridFS file"), "\(said)")
            #expect(said.contains("files.fs") && said.contains("chunks are missing"))
        }
    }

    @Test func `a rollback past the archive begins a timeline, and the branch it left stays`()
        async throws
    {
        try await offPool {
            let harness = try ArchiveHarness("shop")
            let first = try harness.startWithBackup()
            harness.double.write(100)
            try harness.waitArchived()
            #expect(try first.terminate().isSuccess)
            // Another entry at the optime where the archive ends, and what was written behind it.
            let last = try BSONDocument(harness.entries[100])
            let rest = harness.entries[101...200]
            harness.double.rollBack(
                to: 100, then: [last.setting("t", .int64(2)).bytes] + Array(rest))
            let second = try harness.start()
            try second.waitForLog("base backup finished", seconds: 60)
            try harness.waitArchived()
            // The gap is one until the new base backup is in the catalog.
            try eventually("the source streams", seconds: 60) {
                try harness.status().state == "streaming"
            }
            let status = try harness.status()
            #expect(status.timeline?.hasSuffix(".2") == true)
            // What the set had before it went back can still be had, its last entry too.
            let end = try #require(last["ts"]?.timestamp)
            let old = harness.folder + "/old"
            let branch = try #require(status.timeline?.dropLast(2)).description
            try harness.expect(
                0,
                [
                    "restore", "--to", "optime:\(end)", "--timeline", branch, "--into",
                    "lessons=" + old,
                ])
            #expect(
                try harness.content(old + "/oplog.bson")
                    == harness.entries[1...100].flatMap { $0 })
            // Beside the sidecar, which knows of the timeline from its stream.
            try harness.expect(0, ["backup"])
            try harness.expect(0, ["mark", "after"])
            try harness.waitArchived()
            let new = try harness.restore(to: "point:after", name: "new")
            let entries = try MongoFixture.documents(harness.content(new + "/oplog.bson"))
            #expect(entries.count == 1)
            #expect(try second.terminate().isSuccess)
            try harness.expect(0, ["verify", "--deep"])
        }
    }
}
