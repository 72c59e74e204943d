import Model
import Mongo
import Platform
import TestKit
import Testing

/// Targets on a timeline whose change stream went back: what lies before the late event is there,
/// and nothing behind it is given without the event.
struct LateEventTargetTests {
    /// An archive whose stream told of an event that lies between the points `early` and `late`.
    private struct Late {
        let harness: ArchiveHarness
        let event: OpTime
        let before: OpTime
        let behind: OpTime

        init() throws {
            harness = try ArchiveHarness("shop", options: "&mode=changeStream")
            let sidecar = try harness.startWithBackup()
            harness.double.write(60)
            try harness.waitArchived()
            before = harness.double.state.read { $0.newest }
            try harness.expect(0, ["mark", "early"])
            harness.double.writeAll()
            try harness.waitArchived()
            behind = harness.double.state.read { $0.newest }
            try harness.expect(0, ["mark", "late"])
            let start = before
            let old = try #require(
                try harness.fixture.changes().map { try BSONDocument($0) }.first {
                    ($0["clusterTime"]?.timestamp ?? .zero).seconds > start.seconds
                })
            event = try #require(old["clusterTime"]?.timestamp)
            let told = old.setting(
                "_id", .document(BSONDocument([("_data", .string("of another shard"))])))
            harness.double.state.update { $0.tellLate(told) }
            try sidecar.waitForLog("gap in the archive", seconds: 60)
            try eventually("a second base backup is finished", seconds: 90) {
                sidecar.log.ranges(of: "base backup finished").count == 2
            }
            #expect(try sidecar.terminate().isSuccess)
        }

        var timeline: String {
            get throws {
                let names = namesInside(harness.archive + "/lessons/oplog")
                return try #require(names.first { $0.hasSuffix(".changes") }, "\(names)")
            }
        }
    }

    @Test func `are refused behind it by position, point, event and latest, and by export`()
        async throws
    {
        try await offPool {
            let late = try Late()
            let harness = late.harness
            let old = ["--timeline", try late.timeline]
            var number = 0
            let run = { (status: Int32, command: String, words: [String]) throws -> String in
                number += 1
                let place = harness.folder + "/copy\(number)"
                let into = command == "export" ? place : "lessons=" + place
                let source = command == "export" ? ["lessons"] : []
                return try harness.expect(
                    status, [command] + source + words + ["--into", into])
            }
            let just = OpTime(ordinal: late.event.ordinal - 1)
            for target in ["point:early", "optime:\(late.before)", "optime:\(just)"] {
                _ = try run(0, "restore", ["--to", target] + old)
            }
            _ = try run(0, "restore", ["--to", "point:early"])
            _ = try run(0, "restore", ["--to", "latest"])
            let events = try harness.expect(0, ["find"]).split(whereSeparator: \.isWhitespace)
                .filter { $0.contains(".changes-") }
            let drop = try #require(events.last, "no event of the old timeline")
            let ordinal = try #require(drop.split(separator: "-").last.flatMap { UInt64($0) })
            try #require(ordinal >= late.event.ordinal)
            for target in [
                "point:late", "optime:\(late.event)", "optime:\(late.behind)", "before:\(drop)",
                "latest",
            ] {
                for command in ["restore", "export"] {
                    let said = try run(3, command, ["--to", target] + old)
                    #expect(said.contains("is not whole"), "\(target): \(said)")
                    #expect(said.contains("told of an event of \(late.event)"), "\(said)")
                }
            }
            // Nobody has to name the timeline to be refused.
            let said = try run(3, "restore", ["--to", "point:late"])
            #expect(said.contains("told of an event of \(late.event)"), "\(said)")
        }
    }
}
