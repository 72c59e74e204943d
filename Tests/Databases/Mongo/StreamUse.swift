import Model
import Platform
import TestKit
import Testing

@testable import Mongo

/// One double, the room that reads it, and what it has brought so far.
final class StreamUse {
    let double: MongoDouble
    let room: MongoRoom
    var stream: any ChangeSource
    let sink = RecordingSink()
    private(set) var opening: StreamOpening?

    /// - Parameter options: of the URL.
    init(
        _ double: MongoDouble, options: String = "",
        transactionLimit: Int = MongoRoom.transactionLimit,
        time: any TimeSource = SystemTimeSource()
    ) throws {
        self.double = double
        room = MongoRoom(
            try MongoConfiguration(
                source: SourceID("lessons")!,
                url: "mongodb://127.0.0.1:\(double.port)/?\(options)"),
            time: time, transactionLimit: transactionLimit)
        stream = room.stream()
    }

    /// The recorded shop by its change stream, with all its events.
    static func ofChanges() throws -> (use: StreamUse, events: [[UInt8]]) {
        let fixture = try MongoFixture("shop")
        let double = try MongoDouble(entries: fixture.oplog(), visible: 1)
        let events = try fixture.changes()
        double.tell(events)
        return (try StreamUse(double, options: "mode=changeStream"), events)
    }

    @discardableResult
    func open(_ resume: ResumePoint = ResumePoint(descriptor: nil, end: nil)) throws
        -> StreamOpening
    {
        let opening = try stream.open(resume)
        sink.begin(at: opening.start.ordinal)
        self.opening = opening
        return opening
    }

    /// The archive as it is now.
    func resume(skips: Bool = false) throws -> ResumePoint {
        let bytes = sink.bytes
        let opening = opening!
        return ResumePoint(
            descriptor: opening.descriptor,
            end: Position(timeline: opening.start.timeline, ordinal: sink.position),
            skipsLostHistory: skips,
            tail: bytes.isEmpty
                ? nil
                : StreamTail(first: 0, state: "") { (body) throws(TidemarkError) in
                    try body(bytes.span.bytes)
                },
            documents: sink.documents[opening.start.timeline] ?? [:])
    }

    func again(skips: Bool = false) throws {
        stream.close()
        stream = room.stream()
        try open(try resume(skips: skips))
    }

    /// Pulls until the stream stands at the majority's newest, connecting anew when it must.
    /// Returns how often that was.
    @discardableResult
    func pullAll(seconds: Double = 60) throws -> Int {
        let time = SystemTimeSource()
        let end = double.state.read { $0.majority }
        var reconnects = 0
        try eventually("the stream comes to \(end)", seconds: seconds) {
            do {
                _ = try stream.pull(until: time.monotonic().advanced(bySeconds: 0.2), into: sink)
            } catch let error as TidemarkError where error.code == .sourceUnreachable {
                reconnects += 1
                try again()
            }
            return sink.position >= end.ordinal
        }
        return reconnects
    }

    /// What was brought, without our own marks.
    func events() throws -> [[UInt8]] {
        try MongoFixture.documents(sink.bytes).filter {
            try BSONDocument($0)["operationType"]?.string != ProgressMark.operation
        }
    }

    /// Writes so many entries, and on to one that makes no event; then waits for the mark of it.
    func writeToMark(_ count: Int) throws {
        double.write(count)
        while double.state.read({ state in state.events.contains { $0.ts == state.newest } }) {
            double.write(1)
        }
        try pullAll()
        let time = SystemTimeSource()
        try eventually("the last document is a mark", seconds: 60) {
            let wait = time.monotonic().advanced(bySeconds: 0.2)
            _ = try stream.pull(until: wait, into: sink)
            return try last()["operationType"]?.string == ProgressMark.operation
        }
    }

    func last() throws -> BSONDocument {
        try BSONDocument(#require(try MongoFixture.documents(sink.bytes).last))
    }
}
