import Model
import Platform
import TestKit
import Testing

@testable import Mongo

/// The stream against the wire double, which serves the recorded entries of a real server.
@Suite struct StreamTests {
    private func room(_ double: MongoDouble, url: String? = nil) throws -> MongoRoom {
        MongoRoom(
            try MongoConfiguration(source: SourceID("lessons")!, url: url ?? double.url),
            time: SystemTimeSource())
    }

    /// Pulls until the stream stands at `end`.
    private func pull(
        _ stream: any ChangeSource, _ sink: RecordingSink, to end: UInt64
    ) throws {
        let time = SystemTimeSource()
        try eventually("the stream comes to \(OpTime(ordinal: end))", seconds: 60) {
            _ = try stream.pull(until: time.monotonic().advanced(bySeconds: 0.2), into: sink)
            return sink.position >= end
        }
    }

    private func resume(
        _ opening: StreamOpening, _ sink: RecordingSink, from first: UInt64 = 0,
        skips: Bool = false
    ) -> ResumePoint {
        let bytes = sink.bytes
        return ResumePoint(
            descriptor: opening.descriptor,
            end: Position(timeline: opening.start.timeline, ordinal: sink.position),
            skipsLostHistory: skips,
            tail: bytes.isEmpty
                ? nil
                : StreamTail(first: first, state: "") { (body) throws(TidemarkError) in
                    // In pieces that cut entries apart.
                    var offset = 0
                    while offset < bytes.count {
                        let part = min(10_007, bytes.count - offset)
                        try body(Array(bytes[offset..<offset + part]).span.bytes)
                        offset += part
                    }
                })
    }

    @Test func `entries come byte for byte, from the majority's newest on`() async throws {
        try await offPool {
            let entries = try MongoFixture("shop").oplog()
            let double = try MongoDouble(entries: entries, visible: 1)
            let stream = try room(double).stream()
            let sink = RecordingSink()
            let opening = try stream.open(ResumePoint(descriptor: nil, end: nil))
            sink.position = opening.start.ordinal
            #expect(opening.start.ordinal == double.state.read { $0.entries[0].ts.ordinal })
            #expect(opening.descriptor.identity == "0102030405060708090a0b0c")
            #expect(opening.descriptor.majorVersion == "4.4")
            double.writeAll()
            let end = double.state.read { $0.entries.last!.ts.ordinal }
            try pull(stream, sink, to: end)
            #expect(sink.bytes == entries.dropFirst().flatMap { $0 })
            #expect(sink.edges.last == end)
            #expect(sink.notes.last?.last == end || sink.notes.last!.last < end)
            stream.close()
        }
    }

    @Test func `only what a majority has is taken`() async throws {
        try await offPool {
            let entries = try MongoFixture("fuzzy").oplog()
            let double = try MongoDouble(entries: entries, visible: 1)
            double.state.update { $0.lag = 0 }
            let stream = try room(double).stream()
            let sink = RecordingSink()
            sink.position = try stream.open(ResumePoint(descriptor: nil, end: nil)).start.ordinal
            double.state.update {
                $0.lag = 10
                $0.visible = 100
            }
            let bound = double.state.read { $0.entries[89].ts.ordinal }
            try pull(stream, sink, to: bound)
            _ = try stream.pull(
                until: SystemTimeSource().monotonic().advanced(bySeconds: 0.3), into: sink)
            #expect(sink.position == bound)
            stream.close()
            // Nor by the first answer of a session.
            let again = try room(double).stream()
            let later = RecordingSink()
            later.position = try again.open(ResumePoint(descriptor: nil, end: nil)).start.ordinal
            _ = try again.pull(
                until: SystemTimeSource().monotonic().advanced(bySeconds: 0.3), into: later)
            #expect(later.position == bound)
            again.close()
        }
    }

    @Test func `a mark is a point only once a majority has it`() async throws {
        try await offPool {
            let double = try MongoDouble(entries: MongoFixture("fuzzy").oplog(), visible: 5)
            let inspector = try room(double).inspector()
            defer { inspector.close() }
            let point = try inspector.mark("x")
            #expect(point.position == double.state.read { $0.newest.ordinal })
            let note = try #require(double.state.read { $0.notes.last })
            let concern = try #require(note["writeConcern"]?.document)
            #expect(concern["w"]?.string == "majority")
            #expect(concern["wtimeout"]?.integer == 30_000)
        }
    }

    @Test func `a session goes on where the one before has ended`() async throws {
        try await offPool {
            let entries = try MongoFixture("shop").oplog()
            let double = try MongoDouble(entries: entries, visible: 200)
            let room = try room(double)
            let stream = room.stream()
            let sink = RecordingSink()
            // From the first entry on, as an archive that has that one.
            let opening = try stream.open(
                ResumePoint(
                    descriptor: nil,
                    end: Position(
                        timeline: TimelineID("0102030405060708090a0b0c"),
                        ordinal: double.state.read { $0.entries[0].ts.ordinal })))
            sink.position = opening.start.ordinal
            try pull(stream, sink, to: double.state.read { $0.entries[199].ts.ordinal })
            stream.close()
            let next = room.stream()
            let again = try next.open(resume(opening, sink))
            #expect(again.start.ordinal == sink.position)
            double.writeAll()
            try pull(next, sink, to: double.state.read { $0.entries.last!.ts.ordinal })
            #expect(sink.bytes == entries.dropFirst().flatMap { $0 })
            next.close()
        }
    }

    @Test func `a killed cursor and a cut connection cost nothing`() async throws {
        try await offPool {
            let entries = try MongoFixture("shop").oplog()
            let double = try MongoDouble(entries: entries, visible: 1)
            let room = try room(double)
            var stream = room.stream()
            let sink = RecordingSink()
            let opening = try stream.open(ResumePoint(descriptor: nil, end: nil))
            sink.position = opening.start.ordinal
            var reconnects = 0
            for step in 1...20 {
                double.write(26)
                if step % 3 == 0 { double.killCursors() }
                if step % 7 == 0 { double.cutConnections() }
                if step % 9 == 0 { double.state.update { $0.cutsAnswersFrom = 2000 } }
                let wanted = double.state.read { $0.newest.ordinal }
                do {
                    try pull(stream, sink, to: wanted)
                } catch let error as TidemarkError where error.code == .sourceUnreachable {
                    reconnects += 1
                    stream.close()
                    stream = room.stream()
                    let again = try stream.open(resume(opening, sink))
                    #expect(again.start.ordinal == sink.position)
                    try pull(stream, sink, to: wanted)
                }
            }
            double.writeAll()
            try pull(stream, sink, to: double.state.read { $0.newest.ordinal })
            #expect(sink.bytes == entries.dropFirst().flatMap { $0 })
            #expect(reconnects > 0)
            stream.close()
        }
    }

    @Test(arguments: [1, 5]) func `an oplog that goes back while it is read is refused`(
        _ count: Int
    ) async throws {
        try await offPool {
            let entries = try MongoFixture("shop").oplog()
            let double = try MongoDouble(entries: entries, visible: 1)
            let room = try room(double)
            let stream = room.stream()
            let sink = RecordingSink()
            let opening = try stream.open(ResumePoint(descriptor: nil, end: nil))
            sink.position = opening.start.ordinal
            double.write(20)
            try pull(stream, sink, to: double.state.read { $0.newest.ordinal })
            // Old entries, then new ones behind them in the same answer.
            double.state.update { $0.goesBack = count }
            double.write(10)
            let error = #expect(throws: TidemarkError.self) {
                try pull(stream, sink, to: double.state.read { $0.newest.ordinal })
            }
            #expect(error?.code == .sourceUnreachable)
            #expect(error?.message.contains("went back from") == true)
            #expect(error?.remedy.contains("connects again") == true)
            // Nothing of that answer is believed, and the next session brings it whole.
            #expect(sink.bytes == entries[1..<21].flatMap { $0 })
            let next = room.stream()
            _ = try next.open(resume(opening, sink))
            try pull(next, sink, to: double.state.read { $0.newest.ordinal })
            #expect(sink.bytes == entries[1..<31].flatMap { $0 })
            next.close()
        }
    }

    @Test func `an oplog that rolled over is a gap, and what is left of it is kept`() async throws {
        try await offPool {
            let entries = try MongoFixture("shop").oplog()
            let double = try MongoDouble(entries: entries, visible: 10)
            let room = try room(double)
            let stream = room.stream()
            let sink = RecordingSink()
            let opening = try stream.open(ResumePoint(descriptor: nil, end: nil))
            sink.position = opening.start.ordinal
            stream.close()
            double.writeAll()
            double.truncate(keepingFrom: 300)
            let next = room.stream()
            let error = #expect(throws: TidemarkError.self) {
                try next.open(resume(opening, sink))
            }
            #expect(error?.code == .historyLost)
            let salvaged = try next.open(resume(opening, sink, skips: true))
            let oldest = double.state.read { $0.entries[300].ts.ordinal }
            #expect(salvaged.start.ordinal == oldest - 1)
            #expect(salvaged.start.timeline == opening.start.timeline)
            let rest = RecordingSink()
            rest.position = salvaged.start.ordinal
            try pull(next, rest, to: double.state.read { $0.newest.ordinal })
            #expect(rest.bytes == entries.dropFirst(300).flatMap { $0 })
            next.close()
        }
    }

    @Test func `a set that was rolled back begins a new timeline`() async throws {
        try await offPool {
            let entries = try MongoFixture("shop").oplog()
            let double = try MongoDouble(entries: entries, visible: 1)
            let room = try room(double)
            let stream = room.stream()
            let sink = RecordingSink()
            let opening = try stream.open(ResumePoint(descriptor: nil, end: nil))
            sink.position = opening.start.ordinal
            double.write(99)
            try pull(stream, sink, to: double.state.read { $0.newest.ordinal })
            stream.close()
            // The same optime, other content.
            let old = try BSONDocument(entries[99])
            double.rollBack(to: 99, then: [old.setting("t", .int64(2)).bytes])
            let next = room.stream()
            let error = #expect(throws: TidemarkError.self) {
                try next.open(resume(opening, sink))
            }
            #expect(error?.code == .historyLost)
            let other = try next.open(resume(opening, sink, skips: true))
            #expect(other.start.timeline == TimelineID("0102030405060708090a0b0c.2"))
            next.close()
        }
    }

    @Test func `servers that cannot be archived are refused with what to do`() async throws {
        try await offPool {
            let entries = try Array(MongoFixture("shop").oplog().prefix(3))
            let cases: [(String, TidemarkError.Code, (inout MongoDoubleState) -> Void)] = [
                ("rs.initiate()", .sourceRefused, { $0.setName = nil }),
                (
                    "shard", .sourceRefused,
                    { state in
                        state.setName = nil
                        state.isRouter = true
                    }
                ),
                (
                    "mongodb://user:password@host/", .sourceRefused,
                    { state in
                        for command in ["find", "aggregate"] {
                            state.failures[command] = .init(13, "Unauthorized", "not authorized")
                        }
                    }
                ),
                (
                    "enableMajorityReadConcern", .sourceRefused,
                    { state in
                        state.failures["find"] = .init(148, "ReadConcernMajorityNotEnabled", "off")
                    }
                ),
            ]
            for (remedy, code, change) in cases {
                let double = try MongoDouble(entries: entries)
                double.state.update(change)
                let options = remedy == "shard" ? "?mode=oplog" : ""
                let direct = "mongodb://127.0.0.1:\(double.port)/\(options)"
                let stream = try room(double, url: direct).stream()
                let error = #expect(throws: TidemarkError.self) {
                    try stream.open(ResumePoint(descriptor: nil, end: nil))
                }
                #expect(error?.code == code, "\(remedy): \(String(describing: error))")
                #expect(error?.remedy.contains(remedy) == true, "\(String(describing: error))")
            }
        }
    }

    @Test func `a server that is not there is unreachable`() async throws {
        try await offPool {
            let double = try MongoDouble(entries: [])
            double.stop()
            let url = "mongodb://u:secret@127.0.0.1:\(double.port)/?serverSelectionTimeoutMS=500"
            let stream = try room(double, url: url).stream()
            let error = #expect(throws: TidemarkError.self) {
                try stream.open(ResumePoint(descriptor: nil, end: nil))
            }
            #expect(error?.code == .sourceUnreachable)
            #expect(error?.description.contains("secret") == false)
        }
    }

    @Test func `the primary's newest entry bounds what is committed, and a mark is found`()
        async throws
    {
        try await offPool {
            let double = try MongoDouble(entries: Array(MongoFixture("shop").oplog().prefix(50)))
            double.state.update { $0.clock = 1_795_343_400_000 }
            let room = try room(double)
            let inspector = room.inspector()
            let probe = try inspector.probe()
            #expect(probe.bound == double.state.read { $0.newest.ordinal })
            #expect(probe.sourceTime == CommitTime(microseconds: 1_795_343_400_000_000))
            let stream = room.stream()
            let sink = RecordingSink()
            sink.position = try stream.open(ResumePoint(descriptor: nil, end: nil)).start.ordinal
            let point = try inspector.mark("before the exam")
            #expect(point.position > probe.bound)
            try pull(stream, sink, to: point.position)
            #expect(sink.notes.last?.event == .restorePoint(name: "before the exam"))
            let search = OplogStopSearch(.point("before the exam"))
            let answer = try search.take(sink.bytes.span.bytes, at: 0)
            let expected = RecoveryStop(
                last: point.position, end: point.position, time: sink.notes.last?.time)
            #expect(answer == .stop(expected))
            #expect(try inspector.sourceWindow()?.kind == "oplog")
            #expect(try !inspector.check().contains { $0.level == .error })
            inspector.close()
            stream.close()
        }
    }
}
