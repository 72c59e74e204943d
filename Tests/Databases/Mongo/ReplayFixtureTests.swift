import Model
import Testing
import TestKit

@testable import Mongo

/// The recorded oplog of a real server, replayed onto the recorded base, must give the recorded
/// state at every cut.
@Suite struct ReplayFixtureTests {
    @Test func `the exact base and the oplog give the state of every cut`() async throws {
        try await offPool { try check("shop") }
    }

    @Test func `a base read while writers ran gives the state at the end`() async throws {
        try await offPool { try check("fuzzy") }
    }

    @Test(arguments: ["shop", "fuzzy"])
    func `a replay cut off at any write goes on to the same state`(_ name: String) async throws {
        try await offPool {
            let fixture = try MongoFixture(name)
            let entries = try fixture.oplog()
            let cut = try #require(try fixture.cuts().last)
            let (whole, catalog) = try restored(fixture)
            let before = whole.calls
            try run(fixture, entries, cut, whole, catalog, written: .zero)
            let steps = whole.calls - before
            #expect(steps > 3)
            for step in 0..<steps {
                let (target, catalog) = try restored(fixture)
                target.limit = target.calls + step
                #expect(throws: TidemarkError.self) {
                    try run(fixture, entries, cut, target, catalog, written: .zero)
                }
                let marked = max(target.marked, fixture.begin)
                target.resume(at: marked)
                let (_, again) = try restored(fixture)
                try run(fixture, entries, cut, target, again, written: marked)
                compare(target, cut, "\(name) cut off at write \(step) of \(steps)")
            }
        }
    }

    private func run(
        _ fixture: MongoFixture, _ entries: [[UInt8]], _ cut: MongoFixture.Cut,
        _ target: MemoryDatabase, _ catalog: ReplayCatalog, written: OpTime
    ) throws {
        let replay = OplogReplay(
            target, catalog: catalog,
            rules: ReplayRules(
                after: fixture.begin, upTo: cut.ts,
                fuzzyUntil: fixture.isExact ? nil : fixture.end, withUsers: true,
                written: written, ahead: written > .zero ? target.ahead : .zero))
        for entry in entries { try replay.take(entry) }
        try replay.finish()
        #expect(replay.report.misses == 0)
    }

    private func check(_ name: String) throws {
        let fixture = try MongoFixture(name)
        let entries = try fixture.oplog()
        for (cut, isDirect) in try fixture.cuts().flatMap({ [($0, true), ($0, false)] }) {
            let (target, catalog) = try restored(fixture)
            target.takesDirectUpdates = isDirect
            let replay = OplogReplay(
                target, catalog: catalog,
                rules: ReplayRules(
                    after: fixture.begin, upTo: cut.ts,
                    fuzzyUntil: fixture.isExact ? nil : fixture.end, withUsers: true))
            for entry in entries { try replay.take(entry) }
            try replay.finish()
            #expect(replay.report.misses == 0, "\(name) at \(cut.name)")
            #expect(target.lateWrites == 0, "indexes and views come last")
            // Many changes to a document are one write.
            let report = replay.report
            if name == "fuzzy" { #expect(report.written < report.operations, "\(report)") }
            // The last cut lies behind some.
            let isLast = try cut.ts == fixture.cuts().last?.ts
            #expect(!isLast || (target.directUpdates > 0) == isDirect)
            compare(target, cut, "\(name) at \(cut.name)")
        }
    }

    private func restored(_ fixture: MongoFixture) throws -> (MemoryDatabase, ReplayCatalog) {
        let target = MemoryDatabase()
        var catalog = ReplayCatalog()
        for (namespace, metadata, documents) in try fixture.base() {
            if namespace == Namespace("admin", "system.version") { continue }
            let options = metadata["options"]?.document ?? .empty
            if metadata["type"]?.string == "view" {
                catalog.setView(namespace, options)
                continue
            }
            let collection = ReplayCatalog.Collection(
                uuid: metadata["uuid"]?.string.flatMap { CollectionUUID(hex: $0) },
                options: options,
                indexes: (metadata["indexes"]?.elements ?? []).compactMap(\.document))
            catalog.add(namespace, collection)
            try target.create(namespace, options)
            try target.append(documents, to: namespace)
        }
        return (target, catalog)
    }

    private func compare(_ target: MemoryDatabase, _ cut: MongoFixture.Cut, _ what: String) {
        let wanted = cut.collections.filter { $0.key != "admin.system.version" }
        var expected = Set(wanted.keys)
        expected = expected.filter { !$0.hasSuffix(".system.views") }
        let present = Set(
            target.collections.keys.map(\.description) + target.views.keys.map(\.description))
        // The recorder of `fuzzy` looked at that database alone.
        let extra = present.subtracting(expected).filter { !$0.hasPrefix("admin.") }
        #expect(extra.isEmpty && expected.isSubset(of: present), "\(what): \(extra)")
        for (name, facts) in wanted where expected.contains(name) {
            let namespace = Namespace(name)!
            if facts["type"]?.string == "view" {
                #expect(target.views[namespace] == facts["options"]?.document, "\(what): \(name)")
                continue
            }
            guard let collection = target.collections[namespace] else { continue }
            #expect(collection.documents.count == Int(facts["count"]!.integer!), "\(what): \(name)")
            #expect(
                collection.sortedHash == facts["sha256_raw_sorted_by_id"]?.string,
                "\(what): \(name)")
            if collection.options["capped"]?.isTrue == true {
                #expect(
                    collection.naturalHash == facts["sha256_natural_order"]?.string,
                    "\(what): \(name) in its order")
            }
            #expect(
                sorted(collection.options) == sorted(facts["options"]?.document ?? .empty),
                "\(what): options of \(name)")
            compareIndexes(collection, facts, "\(what): indexes of \(name)")
        }
    }

    private func compareIndexes(
        _ collection: MemoryDatabase.Collection, _ facts: BSONDocument, _ what: String
    ) {
        let wanted = (facts["indexes"]?.elements ?? []).compactMap(\.document)
            .filter { !$0.isOfID }
        #expect(Set(collection.indexes.map(sorted)) == Set(wanted.map(sorted)), "\(what)")
    }

    /// Fields by name at every depth, so that their order does not count.
    private func sorted(_ document: BSONDocument) -> String {
        "{"
            + document.fields.map { field in
                let inner = field.value.document.map(sorted)
                return field.name + ":" + (inner ?? BSONDocument([("", field.value)]).text())
            }.sorted().joined(separator: ",") + "}"
    }
}
