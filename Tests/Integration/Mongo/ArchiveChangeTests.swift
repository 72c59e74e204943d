import Model
import Mongo
import Platform
import TestKit
import Testing

/// What a sidecar tells and records when a member, or a change stream, is not as it should be.
struct ArchiveChangeTests {
    private static func lines(_ sidecar: TidemarkProcess, _ text: String) -> [String] {
        sidecar.log.split(separator: "\n").map(String.init).filter { $0.contains(text) }
    }

    @Test func `a change stream that goes back ends its timeline, and a base backup follows`()
        async throws
    {
        try await offPool {
            let harness = try ArchiveHarness("shop", options: "&mode=changeStream")
            let sidecar = try harness.startWithBackup()
            harness.double.write(150)
            try harness.waitArchived()
            let told = try harness.fixture.changes().map { try BSONDocument($0) }
            let old = told[20].setting(
                "_id", .document(BSONDocument([("_data", .string("of another shard"))])))
            harness.double.state.update { $0.tellLate(old) }
            harness.double.write(100)
            try sidecar.waitForLog("went back and told of an event", seconds: 60)
            try sidecar.waitForLog("gap in the archive", seconds: 60)
            try eventually("a second base backup is finished", seconds: 90) {
                Self.lines(sidecar, "base backup finished").count == 2
            }
            harness.double.writeAll()
            try harness.waitArchived()
            #expect(try harness.status().gaps.count == 1)
            #expect(try sidecar.terminate().isSuccess)
            // Nothing from the event's time on is proved any more.
            let folder = harness.archive + "/lessons/gaps"
            let gap = String(
                decoding: try harness.content(folder + "/" + #require(namesInside(folder).first)),
                as: UTF8.self)
            let time = try #require(old["clusterTime"]?.timestamp)
            let whole = CommitTime(microseconds: Int64(time.seconds) * 1_000_000 - 1000)
            #expect(gap.contains("restorable_to") && gap.contains(".changes.2"), "\(gap)")
            #expect(gap.contains(whole.text(fractionDigits: 3).dropLast(1)), "\(gap) \(whole)")
            try harness.expect(0, ["verify", "--deep"])
            // A new process joins the new timeline, and nothing else is lost.
            let next = try harness.start()
            try next.waitForLog("stream opened", seconds: 60)
            #expect(try harness.status().gaps.count == 1)
            #expect(try next.terminate().isSuccess)
        }
    }

    @Test func `a member that is passed over is told when that begins, and when it ends`()
        async throws
    {
        try await offPool {
            let harness = try ArchiveHarness("shop")
            let second = try MongoDouble(entries: harness.entries, visible: 1)
            second.take(over: harness.double)
            let members = [harness.double, second]
            MongoDouble.join(members)
            let first = try harness.startWithBackup()
            for member in members { member.write(100) }
            try harness.waitArchived()
            #expect(try first.terminate().isSuccess)
            // Its oplog is cut behind the archive's end, so the primary has to be read.
            second.truncate(keepingFrom: 300)
            for member in members { member.write(400) }
            let sidecar = try harness.start()
            try harness.waitArchived()
            let told = "a member is passed over"
            try sidecar.waitForLog(told, seconds: 60)
            for _ in 0..<3 {
                for member in members { member.cutConnections() }
                for member in members { member.write(20) }
                try harness.waitArchived()
            }
            let place = "127.0.0.1:\(second.port)"
            let begun = Self.lines(sidecar, told)
            #expect(begun.count == 1, "\(begun)")
            #expect(begun[0].contains(place) && begun[0].contains("no longer has"), "\(begun)")
            // Once it is behind the cut the second has everything again.
            let ended = Self.lines(sidecar, "a member is no longer passed over")
            #expect(ended.count == 1, "\(ended)")
            #expect(try sidecar.terminate().isSuccess)
        }
    }
}
