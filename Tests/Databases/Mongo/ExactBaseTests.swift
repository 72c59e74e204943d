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
        _ url: String, _ meanwhile: @escaping () throws(TidemarkError) -> Void
    ) throws -> (start: UInt64, end: UInt64, files: [String: [UInt8]]) {
        let source = try #require(SourceID("lessons"))
        let configuration = try MongoConfiguration(source: source, url: url)
        let base = MongoRoom(configuration, time: SystemTimeSource()).baseBackup()
        let begun = try base.begin(label: "test", fast: true)
        let sink = Sink(meanwhile)
        while true {
            if let end = try base.pull(into: sink) {
                return (begun.start, end.position, sink.files)
            }
        }
    }

    private static let place = Namespace("shop", "orders")

    private func stored(_ value: Int32, count: Int32 = 3) -> MongoDoubleState.Stored {
        var stored = MongoDoubleState.Stored()
        stored.documents = (0..<count).map {
            BSONDocument([("_id", .int32($0)), ("v", .int32(value))])
        }
        return stored
    }

    private func double(wireVersion: Int32) throws -> MongoDouble {
        let double = try MongoDouble(entries: MongoFixture("fuzzy").oplog(), visible: 5)
        let now = stored(0)
        double.state.update { state in
            state.wireVersion = wireVersion
            state.collections[Self.place] = now
            state.frozen = state.collections
        }
        return double
    }

    /// Writes while the base backup runs; the entries are in the oplog.
    private func write(_ double: MongoDouble) {
        let later = stored(1, count: 2)
        double.state.update { $0.collections[Self.place] = later }
        double.write(3)
    }

    @Test func `writes during a base backup of a server that can read the past are not in it`()
        async throws
    {
        try await offPool {
            let double = try double(wireVersion: 17)
            let base = try backUp(double.url) { () throws(TidemarkError) in write(double) }
            #expect(base.start == base.end, "exact")
            #expect(base.files["shop/orders.bson"] == stored(0).documents.flatMap(\.bytes))
        }
    }

    @Test func `a base backup is fuzzy where the past cannot be read or collections change`()
        async throws
    {
        try await offPool {
            let old = try double(wireVersion: 9)
            let first = try backUp(old.url) { () throws(TidemarkError) in write(old) }
            #expect(first.end > first.start)
            #expect(
                first.files["shop/orders.bson"] == stored(1, count: 2).documents.flatMap(\.bytes))
            let changing = try double(wireVersion: 17)
            let second = try backUp(changing.url) { () throws(TidemarkError) in
                write(changing)
                let late = stored(0)
                changing.state.update { $0.collections[Namespace("shop", "late")] = late }
            }
            #expect(second.end > second.start)
        }
    }

    @Test func `a server that pays no heed to the moment is not believed`() async throws {
        try await offPool {
            let server = try SecantusServer.start()
            try server.python("client.shop.orders.insert_one({'_id': 1})")
            let base = try backUp(server.url) { () throws(TidemarkError) in
                try server.python("client.shop.orders.insert_one({'_id': 2})")
            }
            #expect(base.end > base.start)
        }
    }
}
