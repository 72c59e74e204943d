import Model
import Platform
import TestKit
import Testing

@testable import Mongo

/// Base backups of a server that can read as of one moment.
@Suite struct ExactBaseTests {
    /// Keeps the documents of each file, and does something once the first has begun.
    private final class Sink: BaseBackupSink {
        var files: [String: [UInt8]] = [:]
        private var current = ""
        private var meanwhile: (() throws(TidemarkError) -> Void)?

        init(_ meanwhile: @escaping () throws(TidemarkError) -> Void) { self.meanwhile = meanwhile }

        func begin(_ file: BaseBackupFile) throws(TidemarkError) {
            current = file.name
            files[current] = []
            try meanwhile?()
            meanwhile = nil
        }

        func append(_ bytes: RawSpan) throws(TidemarkError) {
            bytes.withUnsafeBytes { files[current]?.append(contentsOf: $0) }
        }
    }

    private func backUp(
        _ server: SecantusServer, _ meanwhile: @escaping () throws(TidemarkError) -> Void
    ) throws -> (start: UInt64, end: UInt64, files: [String: [UInt8]]) {
        let configuration = try MongoConfiguration(source: #require(SourceID("lessons")), url: server.url)
        let base = MongoRoom(configuration, time: SystemTimeSource()).baseBackup()
        let begun = try base.begin(label: "test", fast: true)
        let sink = Sink(meanwhile)
        while true {
            if let end = try base.pull(into: sink) {
                return (begun.start, end.position, sink.files)
            }
        }
    }

    @Test func `writes during an exact base backup are not in it`() async throws {
        try await offPool {
            let server = try SecantusServer.start()
            try server.python(
                "client.shop.orders.insert_many([{'_id': n, 'v': 0} for n in range(500)])")
            let base = try backUp(server) { () throws(TidemarkError) in
                try server.python(
                    """
                    client.shop.orders.update_many({}, {"$set": {"v": 1}})
                    client.shop.orders.delete_many({"_id": {"$lt": 100}})
                    client.shop.orders.insert_one({"_id": 1000, "v": 1})
                    """)
            }
            #expect(base.start == base.end, "exact")
            let found = try MongoFixture.documents(base.files["shop/orders.bson"] ?? []).map {
                try BSONDocument($0)
            }
            #expect(found.count == 500)
            #expect(found.allSatisfy { $0["v"]?.integer == 0 })
        }
    }

    @Test func `a collection made during a base backup leaves it fuzzy`() async throws {
        try await offPool {
            let server = try SecantusServer.start()
            try server.python("client.shop.orders.insert_one({'_id': 1})")
            let base = try backUp(server) { () throws(TidemarkError) in
                try server.python("client.shop.late.insert_one({'_id': 1})")
            }
            #expect(base.end > base.start)
        }
    }
}
