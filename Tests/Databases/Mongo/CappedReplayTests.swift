import Model
import TestKit
import Testing

@testable import Mongo

/// Replays into capped collections of a real server: what has left does not come back.
@Suite(.enabled(if: MongodServer.program != nil))
struct CappedReplayTests {
    static let place = Namespace("shop", "ring")

    static func document(_ id: Int32, _ text: String = "old") -> BSONDocument {
        BSONDocument([("_id", .int32(id)), ("text", .string(text))])
    }

    static func time(_ seconds: UInt32) -> OpTime { OpTime(seconds: seconds, increment: 1) }

    static func entry(
        _ ts: UInt32, _ op: String, _ document: BSONDocument, of id: Int32? = nil,
        in place: Namespace = place
    ) -> [UInt8] {
        var fields: [(String, BSONValue)] = [
            ("op", .string(op)), ("ns", .string(place.description)), ("o", .document(document)),
            ("ts", .timestamp(time(ts))), ("t", .int64(1)), ("v", .int64(2)),
            ("wall", .date(milliseconds: Int64(ts) * 1000)),
        ]
        if let id { fields.append(("o2", .document(BSONDocument([("_id", .int32(id))])))) }
        return BSONDocument(fields).bytes
    }

    private static let options = BSONDocument([
        ("capped", .bool(true)), ("size", .int64(1 << 20)), ("max", .int64(3)),
    ])

    private func replay(
        _ entries: [[UInt8]], _ target: LiveTarget, fuzzyUntil: OpTime? = nil, written: OpTime
    ) throws -> ReplayReport {
        var catalog = ReplayCatalog()
        catalog.add(Self.place, .init(uuid: nil, options: Self.options, indexes: []))
        let replay = OplogReplay(
            target, catalog: catalog,
            rules: ReplayRules(after: .zero, fuzzyUntil: fuzzyUntil, written: written))
        for entry in entries { try replay.take(entry) }
        try replay.flush()
        return replay.report
    }

    private func fill(_ target: LiveTarget, _ documents: [BSONDocument]) throws {
        try target.drop(Self.place)
        try target.create(Self.place, Self.options)
        _ = try BulkInsert.run(
            target.connection, Self.place, documents.flatMap(\.bytes), count: documents.count,
            isOrdered: true)
    }

    private func found(_ target: LiveTarget) throws -> [BSONDocument] {
        var found: [BSONDocument] = []
        try target.connection.each(
            BSONDocument([("find", .string(Self.place.collection))]),
            on: Self.place.database, at: .primary
        ) { found.append($0) }
        return found
    }

    @Test func `a change of what has left makes nothing and moves nothing`() async throws {
        try await offPool {
            let server = try MongodServer.start()
            defer { server.kill9() }
            let fresh = try DirectReplayTests.target(server)
            try fresh.finishBase(at: Self.time(1))
            let resumed = try DirectReplayTests.target(server)
            #expect(resumed.isResumed)
            let entries = [
                Self.entry(2, "u", Self.document(-3, "new"), of: -3),
                Self.entry(3, "i", Self.document(1)),
            ]
            let after = [Self.document(-2), Self.document(-1), Self.document(1)]
            // A base that was read behind both, and a restore that was killed behind both.
            try fill(fresh, after)
            let fuzzy = try replay(entries, fresh, fuzzyUntil: Self.time(3), written: .zero)
            #expect(try found(fresh) == after)
            try fill(resumed, after)
            let again = try replay(entries, resumed, written: Self.time(1))
            #expect(try found(resumed) == after)
            // And where -3 is there it leaves as the source's did.
            try fill(fresh, [Self.document(-3), Self.document(-2), Self.document(-1)])
            let exact = try replay(entries, fresh, written: .zero)
            #expect(try found(fresh) == after)
            for report in [fuzzy, again, exact] { #expect(report.misses == 0) }
        }
    }

    @Test func `what is there as it was before a change gets it`() async throws {
        try await offPool {
            let server = try MongodServer.start()
            defer { server.kill9() }
            let fresh = try DirectReplayTests.target(server)
            try fresh.finishBase(at: Self.time(1))
            let resumed = try DirectReplayTests.target(server)
            let entries = [
                Self.entry(2, "i", Self.document(1)),
                Self.entry(3, "u", Self.document(1, "new"), of: 1),
                Self.entry(4, "i", Self.document(2)),
            ]
            let before = [Self.document(-1), Self.document(1)]
            let after = [Self.document(-1), Self.document(1, "new"), Self.document(2)]
            for (target, written) in [(fresh, OpTime.zero), (resumed, Self.time(1))] {
                try fill(target, before)
                let report = try replay(
                    entries, target, fuzzyUntil: Self.time(4), written: written)
                #expect(try found(target) == after)
                #expect(report.misses == 0)
            }
        }
    }
}
