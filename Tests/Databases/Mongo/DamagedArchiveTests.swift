import Model
import TestKit
import Testing

@testable import Mongo

/// What an archive holds is looked at before a server gets it.
@Suite struct DamagedArchiveTests {
    private let document = BSONDocument([
        ("_id", .int32(1)), ("text", .string("a long enough text")),
        ("inner", .document(BSONDocument([("a", .bool(true))]))),
    ])

    @Test func `a document of the base that is torn inside is named`() throws {
        let file = LoadedFile("shop/orders.bson", Namespace("shop", "orders"), keepsOrder: false)
        let sound = document.bytes
        try file.check(sound + sound, count: 2)
        var torn = sound
        // The length of the text.
        torn[20] = 200
        let error = #expect(throws: TidemarkError.self) { try file.check(sound + torn, count: 2) }
        #expect(error?.code == .archiveDamaged)
        #expect(error?.message.contains("shop.orders") == true)
        #expect(error?.remedy.contains("shop/orders.bson") == true)
    }

    @Test func `every single wrong length or type in a document is found or harmless`() throws {
        let file = LoadedFile("x.bson", Namespace("x", "y"), keepsOrder: false)
        let sound = document.bytes
        for place in sound.indices {
            for value: UInt8 in [0, 1, 127, 255] {
                var torn = sound
                torn[place] = value
                // Must end, one way or the other, and never outside the bytes.
                try? file.check(torn, count: 1)
            }
        }
    }

    @Test func `an oplog entry that is torn stops the replay before anything that follows`() throws
    {
        let fixture = try MongoFixture("shop")
        let entries = try fixture.oplog()
        let target = MemoryDatabase()
        let replay = OplogReplay(
            target, catalog: ReplayCatalog(), rules: ReplayRules(after: fixture.begin))
        var torn = entries[3]
        torn[4] = 99
        try replay.take(entries[0])
        let error = #expect(throws: TidemarkError.self) { try replay.take(torn) }
        #expect(error?.code == .archiveDamaged)
        #expect(error?.message.contains("behind \(fixture.begin)") == true)
        #expect(target.calls == 0)
    }
}
