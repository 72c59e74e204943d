import Model
import Platform
import TestKit
import Testing

@testable import Mongo

/// Change streams that go back: what is archived already is passed by, what is missing in the
/// archive ends its timeline.
@Suite struct LateEventTests {
    /// Archives some, then lets the server tell of one more event of a time long past.
    private func late(_ use: StreamUse) throws -> (event: BSONDocument, error: TidemarkError?) {
        try use.open()
        use.double.write(150)
        try use.pullAll()
        let old = try BSONDocument(use.events()[20])
        let event = old.setting(
            "_id", .document(BSONDocument([("_data", .string("of another shard"))])))
        use.double.state.update { $0.tellLate(event) }
        use.double.write(100)
        let time = SystemTimeSource()
        let error = #expect(throws: TidemarkError.self) {
            for _ in 0..<20 {
                _ = try use.stream.pull(
                    until: time.monotonic().advanced(bySeconds: 0.2), into: use.sink)
            }
        }
        return (event, error)
    }

    @Test func `an event of a time that was archived without it is lost history`() async throws {
        try await offPool {
            let (use, events) = try StreamUse.ofChanges()
            let (event, error) = try late(use)
            #expect(error?.code == .historyLost, "\(String(describing: error))")
            let time = try #require(event["clusterTime"]?.timestamp)
            #expect(error?.message.contains("went back and told of an event of \(time)") == true)
            #expect(error?.remedy.contains("mode=oplog") == true)
            let kept = try use.events()
            #expect(kept == Array(events[..<kept.count]))
            let first = try #require(use.opening).start.timeline
            #expect(use.sink.documents[first]?[LateEvent.document] == event.bytes)
            try use.again(skips: true)
            let opening = try #require(use.opening)
            #expect(opening.start.timeline.name == first.name + ".2")
            #expect(opening.wholeUntil == CommitTime(milliseconds: Int64(time.seconds) * 1000 - 1))
            use.double.writeAll()
            try use.pullAll()
            #expect(try use.events().last == events.last)
            use.stream.close()
        }
    }

    @Test func `an event that could not be kept at once is kept by the next session`() async throws
    {
        try await offPool {
            let (use, _) = try StreamUse.ofChanges()
            use.sink.refusal = TidemarkError(.repositoryUnreachable, "the disk is away")
            let (event, error) = try late(use)
            #expect(error?.code == .repositoryUnreachable)
            use.sink.refusal = nil
            let first = try #require(use.opening).start.timeline
            #expect(use.sink.documents[first]?[LateEvent.document] == nil)
            let lost = #expect(throws: TidemarkError.self) {
                try use.stream.open(use.resume())
            }
            #expect(lost?.code == .historyLost)
            try use.open(use.resume(skips: true))
            #expect(use.opening?.start.timeline != first)
            _ = try use.stream.pull(
                until: SystemTimeSource().monotonic().advanced(bySeconds: 0.2), into: use.sink)
            #expect(use.sink.documents[first]?[LateEvent.document] == event.bytes)
            use.stream.close()
        }
    }

    @Test func `a sidecar that was killed at that moment does not join the timeline either`()
        async throws
    {
        try await offPool {
            let (use, _) = try StreamUse.ofChanges()
            _ = try late(use)
            let room = MongoRoom(
                try MongoConfiguration(
                    source: SourceID("lessons")!,
                    url: "mongodb://127.0.0.1:\(use.double.port)/?mode=changeStream"),
                time: SystemTimeSource())
            let stream = room.stream()
            let error = #expect(throws: TidemarkError.self) { try stream.open(use.resume()) }
            #expect(error?.code == .historyLost)
            #expect(error?.message.contains("went back") == true)
            let opening = try stream.open(use.resume(skips: true))
            #expect(opening.start.timeline.name.hasSuffix(".changes.2"))
            #expect(opening.wholeUntil != nil)
            stream.close()
        }
    }

    @Test func `events that are told once more, also behind a reconnect, are archived once`()
        async throws
    {
        try await offPool {
            let (use, events) = try StreamUse.ofChanges()
            try use.open()
            for step in 1...6 {
                use.double.write(40)
                try use.pullAll()
                use.double.state.update { $0.goesBack = 3 * step }
                if step % 2 == 0 { try use.again() }
                if step % 3 == 0 { use.double.killCursors() }
            }
            use.double.writeAll()
            #expect(try use.pullAll() == 0)
            #expect(use.double.state.read { $0.goesBack } == nil)
            #expect(try use.events() == events)
            #expect(use.sink.documents.isEmpty && use.opening?.wholeUntil == nil)
            use.stream.close()
        }
    }
}
