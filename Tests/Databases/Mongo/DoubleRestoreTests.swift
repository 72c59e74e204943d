import Model
import Platform
import TestKit
import Testing

@testable import Mongo

/// The recorded oplog of a 4.4.4 on its way into the double, cut off at its commands.
@Suite struct DoubleRestoreTests {
    /// Every so many commands, since all of them would take a minute; and every one of the last,
    /// which make indexes, views, users and roles.
    @Test(arguments: [("shop", 11), ("fuzzy", 7)])
    func `a restore that is cut off at a command goes on to the same state`(
        _ name: String, _ stride: Int
    ) async throws {
        try await offPool {
            let fixture = try MongoFixture(name)
            let entries = try fixture.oplog()
            let source = try MongoDouble(entries: entries, visible: 1)
            source.take(try fixture.base())
            var base = try BaseBackupRun(source.url)
            base.end = fixture.end.ordinal
            let cut = try #require(try fixture.cuts().last)
            let later = try entries.filter { bytes in
                let ts = try BSONDocument(bytes)["ts"]?.timestamp ?? .zero
                return ts > fixture.begin && ts <= cut.ts
            }
            let restore = CopyRun(base: base, entries: later, version: "4.4.4")
            let cuts = try DoubleCutOff(restore, version: "4.4.4")
            #expect(cuts.steps > 3 * stride)
            let last = max(6, cuts.steps - 16)...cuts.steps
            // Before that it finds out what the server can do, which may be refused.
            let early = Swift.stride(from: 6, to: last.lowerBound, by: stride)
            for step in Array(early) + Array(last) {
                #expect(try cuts.run(at: step), "the restore does not go on by itself: \(step)")
            }
        }
    }
}
