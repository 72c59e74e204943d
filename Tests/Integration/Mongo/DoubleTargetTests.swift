import Mongo
import Platform
import TestKit
import Testing

/// Restores of the recorded oplog into the double, through libmongoc: what it has afterwards is what
/// the recorded server had, to the byte, with no allowance for a server that does otherwise.
@Suite struct DoubleTargetTests {
    private func target() throws -> MongoDouble {
        // A server that is empty has an oplog with its first entry.
        let entry = try MongoFixture("fuzzy").oplog()[0]
        let double = try MongoDouble(entries: [entry])
        // A set of its own, and not the recorded one.
        double.state.update { $0.replicaSetID = Array(20..<32) }
        return double
    }

    @Test func `the double gets the recorded state of every cut`() async throws {
        try await offPool {
            let harness = try ArchiveHarness.archived("shop")
            for cut in try harness.fixture.cuts() {
                let double = try target()
                let said = try harness.expect(0, restore(to: cut, double))
                #expect(said.contains("replayed") && !said.contains("warning"), "\(said)")
                let state = LiveState(double)
                state.compare(cut, "shop at \(cut.name)")
                #expect(state.names.isSuperset(of: ["admin.system.roles", "admin.system.users"]))
                checkSent(double)
            }
        }
    }

    @Test func `a base read while writers ran is replayed into one moment in the double`()
        async throws
    {
        try await offPool {
            let harness = try ArchiveHarness.archived("fuzzy")
            let cut = try #require(try harness.fixture.cuts().last)
            let double = try target()
            let said = try harness.expect(0, restore(to: cut, double))
            #expect(said.contains("replayed") && !said.contains("warning: replayed"), "\(said)")
            LiveState(double).compare(cut, "fuzzy")
            checkSent(double)
        }
    }

    /// Never `applyOps`; validators are passed over; nothing of the restore is left.
    private func checkSent(_ double: MongoDouble) {
        let (record, databases, entries) = double.state.read { state in
            (state.record, Set(state.collections.keys.map(\.database)), state.entries.count)
        }
        #expect(record.leftOut == 0 && !record.requests.contains { $0.name == "applyOps" })
        let inserts = record.requests.filter { $0.name == "insert" }
        #expect(
            inserts.contains { $0.command["bypassDocumentValidation"]?.isTrue == true }
                && !databases.contains("tidemark_restore"))
        #expect(entries == 1, "writes make no entries")
    }

    private func restore(to cut: MongoFixture.Cut, _ double: MongoDouble) -> [String] {
        ["restore", "--to", "optime:\(cut.ts)", "--into", "lessons=" + double.url]
    }
}
