import Model
import Platform
import TestKit
import Testing

@testable import Mongo

/// The recorded oplog of a 4.4.4 on its way into the double, cut off at its commands.
@Suite struct DoubleRestoreTests {
    /// Every so many commands: all of them would take minutes.
    @Test(arguments: [("shop", 13), ("fuzzy", 7)])
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
            var interrupted = 0
            for step in Swift.stride(from: 4, through: cuts.steps, by: stride) {
                if try cuts.run(at: step) { interrupted += 1 }
            }
            #expect(interrupted > 2)
        }
    }
}
