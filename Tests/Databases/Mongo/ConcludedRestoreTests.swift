import Model
import Testing

@testable import Mongo

/// What a server's oplog tells of a restore of which nothing else is left.
@Suite struct ConcludedRestoreTests {
    private static let stop = OpTime(seconds: 1_700_000_100, increment: 7)

    private func entry(_ op: String, _ ns: String, _ o: BSONDocument = .empty) -> BSONDocument {
        BSONDocument([("op", .string(op)), ("ns", .string(ns)), ("o", .document(o))])
    }

    /// Newest first, as 3.6.8 was seen to write it.
    private var ended: [BSONDocument] {
        let told = BSONDocument([
            ("_id", .string("concluded")), ("source", .string("lessons")),
            ("backup", .string("base")), ("timeline", .string("set")), ("base", .bool(true)),
            ("position", .timestamp(Self.stop)), ("ends", .timestamp(Self.stop)),
            ("complete", .bool(true)), ("warnings", .array([.string("an index was refused")])),
        ])
        return [
            entry("n", ""), entry("c", "tidemark_restore.$cmd"),
            entry("c", "tidemark_restore.$cmd"), entry("i", "tidemark_restore.progress", told),
            entry("u", "tidemark_restore.progress"), entry("i", "shop.orders"),
        ]
    }

    @Test func `behind its last words it is whole and untouched`() throws {
        let found = try #require(ConcludedRestore(newestFirst: ended))
        #expect(found.isUntouched && found.progress.isComplete && found.progress.isConcluded)
        #expect(found.progress.ends == Self.stop)
        #expect(found.progress.warnings == ["an index was refused"])
        let idle = [entry("u", "config.system.sessions"), entry("n", "")] + ended
        #expect(try #require(ConcludedRestore(newestFirst: idle)).isUntouched)
    }

    @Test func `what was written behind it is seen`() throws {
        for later in [entry("d", "shop.orders"), entry("c", "shop.$cmd"), entry("i", "admin.x")] {
            let found = try #require(ConcludedRestore(newestFirst: [later] + ended))
            #expect(!found.isUntouched && found.progress.ends == Self.stop)
        }
    }

    @Test func `a restore whose end is not told is none`() {
        #expect(ConcludedRestore(newestFirst: []) == nil)
        #expect(ConcludedRestore(newestFirst: [entry("i", "shop.orders")]) == nil)
        // The database was dropped by hand while it was half filled.
        #expect(ConcludedRestore(newestFirst: ended.filter { $0["op"]?.string != "i" }) == nil)
        let half = entry("u", "tidemark_restore.progress")
        #expect(ConcludedRestore(newestFirst: [half] + ended) == nil)
    }
}
