import Model
import TestKit
import Testing

@testable import Mongo

/// A target that an interrupted replay has left far ahead of its mark.
@Suite struct AheadTests {
    private typealias Sample = CappedReplayTests
    private static let place = Namespace("shop", "orders")
    private static let pad = String(repeating: "x", count: 1 << 20)

    private static func entry(_ ts: UInt32, _ op: String, _ id: Int32) -> [UInt8] {
        let document =
            op == "i"
            ? Sample.document(id, pad)
            : op == "d"
                ? BSONDocument([("_id", .int32(id))])
                : BSONDocument([("$set", .document(BSONDocument([("text", .string("set"))])))])
        return Sample.entry(ts, op, document, of: op == "u" ? id : nil, in: place)
    }

    /// Ten MB, of which a busy target takes all at once; what is changed far behind the first two
    /// is deleted in the end.
    private static let entries =
        (1...8).map { entry(UInt32($0) + 10, "i", $0) }
        + [entry(21, "u", -1), entry(22, "u", -2)]
        + (9...10).map { entry(UInt32($0) + 21, "i", $0) }
        + [entry(41, "d", -1), entry(42, "d", -2)]

    private func replay(
        _ target: any ReplayTarget, written: OpTime, ahead: OpTime, flushesAt: Int? = nil
    ) throws -> ReplayReport {
        var catalog = ReplayCatalog()
        catalog.add(Self.place, .init(uuid: nil, options: .empty, indexes: []))
        let replay = OplogReplay(
            target, catalog: catalog,
            rules: ReplayRules(after: Sample.time(1), written: written, ahead: ahead))
        for (number, entry) in Self.entries.enumerated() {
            try replay.take(entry)
            if number == flushesAt { try replay.flush() }
        }
        try replay.finish()
        return replay.report
    }

    private func filled() throws -> MemoryDatabase {
        let target = MemoryDatabase()
        try target.create(Self.place, .empty)
        try target.append([-2, -1].map { Sample.document($0) }, to: Self.place)
        return target
    }

    @Test(arguments: [nil, 4])
    func `what a large window has left ahead of smaller ones is no damage`(
        _ flushesAt: Int?
    ) throws {
        let target = try filled()
        target.wantsMore = false
        // Announced and written, and killed before the mark.
        target.limit = target.calls + 2
        #expect(throws: TidemarkError.self) {
            try replay(target, written: .zero, ahead: .zero)
        }
        #expect(target.marked == .zero && target.ahead == Sample.time(42))
        #expect(target.collections[Self.place]?.documents.count == 10)
        target.resume(at: Sample.time(1))
        target.wantsMore = true
        let before = target.calls
        let report = try replay(
            target, written: Sample.time(1), ahead: target.ahead, flushesAt: flushesAt)
        #expect(report.misses == 0 && report.expectedMisses > 0, "\(report)")
        #expect(target.collections[Self.place]?.documents.count == 10)
        #expect(target.marked == Sample.time(42))
        // Announced, written and marked, each once, however idle it was.
        if flushesAt == nil { #expect(target.calls - before == 3) }
    }

    @Test func `what lacks its document behind that is damage`() throws {
        let target = try filled()
        try target.drop(Self.place)
        try target.create(Self.place, .empty)
        // The window of the interrupted one had ended before.
        let report = try replay(
            target, written: Sample.time(1), ahead: Sample.time(12), flushesAt: 4)
        #expect(report.misses > 0 && report.expectedMisses == 0)
    }

    @Test(.enabled(if: MongodServer.program != nil))
    func `a server knows how far it may be ahead before anything is written`() async throws {
        try await offPool {
            let server = try MongodServer.start()
            defer { server.kill9() }
            let first = try DirectReplayTests.target(server)
            try first.finishBase(at: Sample.time(1))
            try first.create(Self.place, .empty)
            try first.announce(Sample.time(9))
            // No way back.
            try first.announce(Sample.time(4))
            let resumed = try DirectReplayTests.target(server)
            #expect(resumed.resumed?.position == Sample.time(1))
            #expect(resumed.resumed?.ahead == Sample.time(9))
            // It has its new name already, as far as is known, until a mark has come that far.
            let rename = { () throws(TidemarkError) in
                try resumed.rename(
                    Namespace("shop", "renamed"), to: Namespace("shop", "new"), dropsTarget: false)
            }
            for reached in [5, 8, 9] {
                try rename()
                var report = ReplayReport()
                report.reached = Sample.time(UInt32(reached))
                try resumed.mark(report)
            }
            #expect(throws: TidemarkError.self) { try rename() }
            let again = try DirectReplayTests.target(server)
            #expect(again.resumed?.position == Sample.time(9))
            #expect(again.resumed?.ahead == Sample.time(9))
        }
    }

    @Test(.enabled(if: MongodServer.program != nil))
    func `a restore that was interrupted amid writes warns of the order of fields`() async throws {
        try await offPool {
            let server = try MongodServer.start()
            defer { server.kill9() }
            let first = try DirectReplayTests.target(server)
            try first.finishBase(at: Sample.time(1))
            #expect(try !warns(server))
            try first.announce(Sample.time(9))
            // The next to go on has nothing to write again, but was told by this one.
            var report = ReplayReport()
            report.reached = Sample.time(9)
            try DirectReplayTests.target(server).mark(report)
            #expect(try warns(server))
        }
    }

    /// Of a restore that goes on now and is killed before it ends.
    private func warns(_ server: MongodServer) throws -> Bool {
        let url = server.url + "/?directConnection=true"
        let restore = try FilledServer(DirectReplayTests.order(server), server: url)
        let target = try DirectReplayTests.target(server)
        let kept = try #require(target.resumed)
        try restore.begin()
        try restore.complete()
        // As if it had not ended.
        try kept.save(target.connection)
        return restore.warnings.contains { $0.contains("order") }
    }
}
