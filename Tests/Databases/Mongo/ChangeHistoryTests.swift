import Model
import Platform
import TestKit
import Testing

@testable import Mongo

/// What a change stream loses, ends with, or splits, and what becomes of it in the archive.
@Suite struct ChangeHistoryTests {
    private func use(_ version: String = "4.4.4") throws -> (use: StreamUse, events: [[UInt8]]) {
        let fixture = try MongoFixture("shop")
        let double = try MongoDouble(entries: fixture.oplog(), visible: 1)
        let events = try fixture.changes()
        double.tell(events)
        double.state.update { $0.version = version }
        return (try StreamUse(double, options: "mode=changeStream"), events)
    }

    @Test func `an open stream that falls off the oplog is lost history at once`() async throws {
        try await offPool {
            let (use, _) = try use()
            try use.open()
            use.double.write(100)
            try use.pullAll()
            use.double.truncate(keepingFrom: 300)
            use.double.writeAll()
            let time = SystemTimeSource()
            let error = #expect(throws: TidemarkError.self) {
                for _ in 0..<9 {
                    _ = try use.stream.pull(
                        until: time.monotonic().advanced(bySeconds: 0.1), into: use.sink)
                }
            }
            #expect(error?.code == .historyLost)
            #expect(error?.remedy.contains("minRetentionHours") == true)
            let end = use.sink.position
            try use.again(skips: true)
            #expect(use.sink.position > end)
            use.stream.close()
        }
    }

    @Test func `an event that is too large is told with what helps`() async throws {
        try await offPool {
            let (use, _) = try use()
            try use.open()
            let large = MongoDoubleState.Failure(10334, "BSONObjectTooLarge", "BSONObj size")
            use.double.state.update { $0.failures["getMore"] = large }
            let error = #expect(throws: TidemarkError.self) {
                _ = try use.stream.pull(
                    until: SystemTimeSource().monotonic().advanced(bySeconds: 1), into: use.sink)
            }
            #expect(error?.remedy.contains("6.0.9") == true)
            #expect(error?.remedy.contains("mode=oplog") == true)
            use.stream.close()
        }
    }

    @Test func `a mark holds the last event, with which the next session has to join`()
        async throws
    {
        try await offPool {
            let (use, events) = try use()
            try use.open()
            try use.writeToMark(150)
            let brought = try use.events()
            let event = try BSONDocument(#require(brought.last))["_id"]?.document
            let mark = try use.last()
            #expect(mark[ProgressMark.eventField]?.document == event)
            let before = use.double.state.read { $0.changeStreams.count }
            try use.again()
            // The event is looked for at its time, and the stream goes on behind the mark.
            let streams = use.double.state.read { Array($0.changeStreams[before...]) }
            #expect(streams.count == 2)
            #expect(streams.first?["startAtOperationTime"]?.timestamp == ResumeToken.time(event))
            let behind = streams.last?["startAtOperationTime"]?.timestamp?.ordinal
            #expect(behind == use.sink.position + 1)
            use.double.writeAll()
            try use.pullAll()
            #expect(try use.events() == events)
            use.stream.close()
        }
    }

    @Test func `an event that has left the oplog leaves the mark behind it`() async throws {
        try await offPool {
            let (use, events) = try use()
            try use.open()
            try use.writeToMark(150)
            // The newest that was seen is the oldest that is left; the last event is before it.
            let newest = use.double.state.read { $0.visible - 1 }
            use.double.truncate(keepingFrom: newest)
            let oldest = use.double.state.read { $0.entries[newest].ts }
            #expect(use.sink.position == oldest.ordinal)
            try use.again()
            use.double.writeAll()
            try use.pullAll()
            #expect(try use.events() == events)
            use.stream.close()
        }
    }

    @Test func `a stream that is invalidated is gone on with behind its end`() async throws {
        try await offPool {
            let (use, events) = try use()
            let place = events.count / 2
            let before = try BSONDocument(events[place])
            let end = BSONDocument([
                ("_id", .document(BSONDocument([("_data", .string("invalidated"))]))),
                ("operationType", .string("invalidate")),
                ("clusterTime", try #require(before["clusterTime"])),
            ])
            let told = events[...place] + [end.bytes] + events[(place + 1)...]
            use.double.tell(Array(told))
            try use.open()
            use.double.writeAll()
            try use.pullAll()
            #expect(try use.events() == Array(told))
            guard case .noop = try OplogEntry(end).change else {
                Issue.record("an invalidation changes nothing")
                return
            }
            use.stream.close()
        }
    }

    @Test(arguments: [
        ("4.4.4", false, false), ("5.0.9", false, false), ("6.0.5", true, false),
        ("6.0.9", true, true), ("7.0.2", true, true), ("8.0.0", true, true),
    ])
    func `what a server can tell is asked for`(
        version: String, isExpanded: Bool, isSplit: Bool
    ) async throws {
        try await offPool {
            let (use, _) = try use(version)
            try use.open()
            let stages = use.double.state.read { $0.changePipeline }
            let options = stages.first?["$changeStream"]?.document
            #expect(options?["allChangesForCluster"]?.isTrue == true)
            #expect((options?["showExpandedEvents"]?.isTrue == true) == isExpanded)
            #expect((stages.last?["$changeStreamSplitLargeEvent"] != nil) == isSplit)
            use.stream.close()
        }
    }

    @Test func `an event that the server splits is kept in parts, and none without the others`()
        async throws
    {
        try await offPool {
            let (use, events) = try use("7.0.2")
            let place = try #require(
                events.firstIndex {
                    try BSONDocument($0)["operationType"]?.string == "insert"
                })
            let parts = try split(BSONDocument(events[place]))
            let told = events[..<place] + parts + events[(place + 1)...]
            use.double.tell(Array(told))
            // Each answer brings one document.
            use.double.state.update { $0.batchBytes = 1 }
            try use.open()
            use.double.writeAll()
            try use.pullAll()
            #expect(try use.events() == Array(told))
            var assembler = EventAssembler()
            let whole = try use.events().compactMap {
                try assembler.take(BSONDocument($0))
            }
            #expect(whole.count == events.count)
            #expect(try OplogEntry(whole[place]).change == OplogEntry(events[place]).change)
            use.stream.close()
        }
    }

    /// As `$changeStreamSplitLargeEvent` does: each part has whole fields and a token of its own.
    private func split(_ event: BSONDocument) throws -> [[UInt8]] {
        let token = try #require(event["_id"]?.document?["_data"]?.string)
        let fields = event.fields.filter { $0.name != "_id" }
        let late: Set = ["fullDocument", "documentKey"]
        return [Int32(1), 2].map { number in
            var writer = BSONWriter()
            writer.append(
                "_id", .document(BSONDocument([("_data", .string("\(token)0\(number)"))])))
            writer.append(
                "splitEvent",
                .document(BSONDocument([("fragment", .int32(number)), ("of", .int32(2))])))
            for field in fields where late.contains(field.name) == (number == 2) {
                writer.append(field.rawName, field.value)
            }
            return writer.finish().bytes
        }
    }
}
