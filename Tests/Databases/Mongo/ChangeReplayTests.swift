import Model
import TestKit
import Testing

@testable import Mongo

/// The recorded change stream of a real 4.4, replayed onto the recorded base.
@Suite struct ChangeReplayTests {
    @Test func `recorded events give the recorded end of a base that writers changed`()
        async throws
    {
        try await offPool {
            let fixture = try MongoFixture("fuzzy")
            let cut = try #require(fixture.cuts().last)
            let target = try replayed(fixture, to: cut.ts, fuzzyUntil: fixture.end)
            for (name, facts) in cut.collections where name.hasPrefix("fuzz.") {
                let namespace = try #require(Namespace(name))
                let collection = try #require(target.collections[namespace])
                let wanted = facts["sha256_raw_sorted_by_id"]?.string
                #expect(collection.sortedHash == wanted, "\(name)")
            }
        }
    }

    /// The others were made or changed by what 4.4 does not tell: see `ChangeTimeline.lacks`.
    @Test func `recorded updates of every kind give the recorded documents`() async throws {
        try await offPool {
            let fixture = try MongoFixture("shop")
            var compared = 0
            for cut in try fixture.cuts() {
                let target = try replayed(fixture, to: cut.ts, fuzzyUntil: nil)
                for name in ["shop.orders", "shop.txn_a", "shop.txn_b", "shop.fs.files"] {
                    guard let facts = cut.collections[name] else { continue }
                    let collection = target.collections[try #require(Namespace(name))]
                    let wanted = facts["sha256_raw_sorted_by_id"]?.string
                    if facts["count"]?.integer == 0, collection == nil { continue }
                    #expect(collection?.sortedHash == wanted, "\(name) at \(cut.name)")
                    compared += 1
                }
            }
            #expect(compared > 3)
        }
    }

    private func replayed(
        _ fixture: MongoFixture, to cut: OpTime, fuzzyUntil: OpTime?
    ) throws -> MemoryDatabase {
        let target = MemoryDatabase()
        var catalog = ReplayCatalog()
        for (namespace, metadata, documents) in try fixture.base()
        where metadata["type"]?.string != "view" && namespace.database != "admin" {
            let options = metadata["options"]?.document ?? .empty
            catalog.add(
                namespace,
                ReplayCatalog.Collection(
                    uuid: metadata["uuid"]?.string.flatMap { CollectionUUID(hex: $0) },
                    options: options,
                    indexes: (metadata["indexes"]?.elements ?? []).compactMap(\.document)))
            try target.create(namespace, options)
            try target.append(documents, to: namespace)
        }
        let replay = OplogReplay(
            target, catalog: catalog,
            rules: ReplayRules(after: fixture.begin, upTo: cut, fuzzyUntil: fuzzyUntil))
        for event in try fixture.changes() { try replay.take(event) }
        try replay.finish()
        return target
    }
}
