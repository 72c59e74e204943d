import Model
import TestKit
import Testing

@testable import Mongo

/// What a half filled server tells of the restore that was interrupted.
@Suite struct RestoreProgressTests {
    private static let stop = OpTime(seconds: 1_700_000_100, increment: 7)

    private func order() throws -> RestoreOrder {
        let source = try #require(SourceID("lessons"))
        let moment = CommitTime(milliseconds: 1_700_000_000_000)
        let backup = BaseBackupDescriptor(
            id: "base", source: source, kind: .mongodb, timeline: TimelineID("set"),
            start: Self.stop.ordinal - 90, end: Self.stop.ordinal - 80, started: moment,
            finished: moment, bytes: 1, storedBytes: 1, files: [],
            server: ServerFacts(identity: "set", version: "3.6.8"), warnings: [])
        let descriptor = SourceDescriptor(
            source: source, kind: .mongodb, identity: "set", majorVersion: "3.6",
            segmentBytes: MongoRoom.segmentBytes, created: moment)
        return RestoreOrder(
            source: source, descriptor: descriptor, backup: backup, destination: "",
            relocations: [:], timeline: TimelineID("set"),
            stop: RecoveryStop(last: Self.stop.ordinal, end: Self.stop.ordinal, time: nil),
            fetchCommand: "", programs: [], force: false, starts: false)
    }

    /// As a server stores a document that is inserted or replaced: with its own time in the place
    /// of each empty timestamp at the top, as 3.6.8 was seen to do.
    private func stored(_ document: BSONDocument) -> BSONDocument {
        BSONDocument(
            document.fields.map { field in
                let isEmpty = field.name != "_id" && field.value.timestamp == .zero
                let now = OpTime(seconds: 1_796_023_192, increment: 21)
                return (field.name, isEmpty ? .timestamp(now) : field.value)
            })
    }

    @Test func `a restore that was killed before its base was whole is gone on with`() throws {
        let order = try order()
        let found = try #require(RestoreProgress([stored(RestoreProgress(order).document)]))
        #expect(found.serves(order) && found.position == .zero && !found.hasBase)
        // What an older version has left there.
        let old = RestoreProgress(order).document.setting("position", .timestamp(.zero))
        #expect(try #require(RestoreProgress([stored(old)])).serves(order))
    }

    @Test func `one that has begun to end serves its own moment and no later one`() throws {
        var order = try order()
        var progress = RestoreProgress(order)
        progress.hasBase = true
        progress.position = OpTime(ordinal: Self.stop.ordinal - 3)
        let open = try #require(RestoreProgress([stored(progress.document)]))
        #expect(open.ends == nil && open.serves(order))
        progress.ends = Self.stop
        let ending = try #require(RestoreProgress([stored(progress.document)]))
        #expect(ending.serves(order) && !ending.isComplete)
        progress.isComplete = true
        progress.warnings = ["an index was refused"]
        let whole = try #require(RestoreProgress([stored(progress.document)]))
        #expect(whole.serves(order) && whole.isComplete)
        #expect(whole.warnings == ["an index was refused"])
        // With `--to latest` the end may lie further on when the command is given again.
        let later = Self.stop.ordinal + 1
        order.stop = RecoveryStop(last: later, end: later, time: nil)
        #expect(open.serves(order) && !ending.serves(order) && !whole.serves(order))
        // The same moment, told by the entry that has come behind it since.
        order.stop = RecoveryStop(last: Self.stop.ordinal, end: later, time: nil)
        #expect(ending.serves(order) && whole.serves(order))
    }

    @Test func `one that has come past the target, or is of another base, is not`() throws {
        let order = try order()
        var progress = RestoreProgress(order)
        progress.hasBase = true
        progress.misses = 3
        progress.position = Self.stop
        let at = try #require(RestoreProgress([stored(progress.document)]))
        #expect(at.serves(order) && at.position == Self.stop && at.misses == 3)
        progress.position = OpTime(ordinal: Self.stop.ordinal + 1)
        #expect(try !#require(RestoreProgress([stored(progress.document)])).serves(order))
        progress.position = Self.stop
        // Of an entry behind the target something may be there.
        progress.ahead = OpTime(ordinal: Self.stop.ordinal + 1)
        let ahead = try #require(RestoreProgress([stored(progress.document)]))
        #expect(ahead.ahead == progress.ahead && !ahead.serves(order))
        progress.ahead = Self.stop
        #expect(try #require(RestoreProgress([stored(progress.document)])).serves(order))
        progress.backup = "another"
        #expect(try !#require(RestoreProgress([stored(progress.document)])).serves(order))
    }
}
