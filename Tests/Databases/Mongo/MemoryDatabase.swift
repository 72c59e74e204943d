import Crypto
import Model

@testable import Mongo

/// A server in memory, as far as a replay needs one: documents in natural order, capped
/// collections that drop their oldest, everything else as told.
final class MemoryDatabase: ReplayTarget {
    struct Collection {
        var options: BSONDocument
        var documents: [BSONDocument] = []
        var places: [BSONValue: Int] = [:]
        var indexes: [BSONDocument] = []
    }

    var collections: [Namespace: Collection] = [:]
    var views: [Namespace: BSONDocument] = [:]
    var marked = OpTime.zero
    /// The newest entry of which something may be there.
    private(set) var ahead = OpTime.zero
    /// Calls that change something, counted; the next one beyond `limit` fails.
    var calls = 0
    var limit = Int.max
    /// An interrupted replay goes on: what is asked may have been done.
    private var isAhead = false
    /// Writes that came when indexes or views were made already.
    private(set) var lateWrites = 0
    private var isBuilding = false
    private var resumedAt = OpTime.zero
    private var aheadAtResume = OpTime.zero
    /// Updates are made as a server makes them, else they come as whole documents.
    var takesDirectUpdates = true
    /// How many were.
    private(set) var directUpdates = 0
    /// Of what was begun and is not waited for; nil when nothing is.
    private var missing: Int?

    func resume(at position: OpTime) {
        limit = .max
        missing = nil
        isAhead = true
        resumedAt = position
        aheadAtResume = ahead
    }

    private func call() throws(TidemarkError) {
        calls += 1
        // What a server still writes, nobody may look at or build upon.
        if missing != nil { throw TidemarkError(.failed, "asked while writes are under way") }
        if calls > limit { throw TidemarkError(.cancelled, "the double was cut off") }
    }

    private func existing(_ namespace: Namespace) throws(TidemarkError) -> Collection {
        guard let collection = collections[namespace] else {
            throw TidemarkError(.failed, "\(namespace) does not exist")
        }
        return collection
    }

    func documents(
        _ ids: [BSONValue], in namespace: Namespace
    ) throws(TidemarkError) -> [BSONDocument] {
        if missing != nil { throw TidemarkError(.failed, "asked while writes are under way") }
        let collection = try existing(namespace)
        return ids.compactMap { collection.places[WriteWindow.key($0)] }
            .map { collection.documents[$0] }
    }

    func write(_ batch: WriteBatch, to namespace: Namespace) throws(TidemarkError) -> Int {
        try call()
        if isBuilding { lateWrites += 1 }
        var collection = try existing(namespace)
        var missing = 0
        let gone = Set(batch.deletions.map { WriteWindow.key($0.id) })
        for deletion in batch.deletions where deletion.mustExist {
            if collection.places[WriteWindow.key(deletion.id)] == nil { missing += 1 }
        }
        if !gone.isEmpty {
            collection.documents.removeAll { gone.contains(WriteWindow.key($0["_id"]!)) }
            collection.index()
        }
        for put in batch.puts {
            if let place = collection.places[WriteWindow.key(put.id)] {
                collection.documents[place] = put.document
            } else {
                if put.mustExist { missing += 1 }
                collection.add(put.document)
            }
        }
        for change in batch.changes {
            guard collection.options.isEmpty else {
                throw TidemarkError(.failed, "\(namespace) has options")
            }
            directUpdates += 1
            if let place = collection.places[WriteWindow.key(change.id)] {
                collection.documents[place] = Self.changed(
                    collection.documents[place], change.update)
            } else {
                missing += 1
            }
        }
        collections[namespace] = collection
        return missing
    }

    /// As a server does it: the first of a name, new ones in the order of their bytes.
    static func changed(_ document: BSONDocument, _ update: DirectUpdate) -> BSONDocument {
        var fields = document.fields.map { (Array($0.rawName), $0.value) }
        for name in update.removed {
            if let place = fields.firstIndex(where: { $0.0 == name }) { fields.remove(at: place) }
        }
        for field in update.sets.sorted(by: { $0.name.lexicographicallyPrecedes($1.name) }) {
            if let place = fields.firstIndex(where: { $0.0 == field.name }) {
                fields[place].1 = field.value
            } else {
                fields.append((field.name, field.value))
            }
        }
        var writer = BSONWriter()
        for (name, value) in fields { writer.append(name, value) }
        return writer.finish()
    }

    func announce(_ ahead: OpTime) throws(TidemarkError) {
        try call()
        self.ahead = max(self.ahead, ahead)
    }

    func begin(_ batches: [PlacedBatch]) throws(TidemarkError) {
        var found = 0
        for placed in batches {
            if placed.keepsOrder, placed.batch.isOnlyNew {
                try append(placed.batch.puts.map(\.document), to: placed.namespace)
            } else {
                var batch = placed.batch
                if placed.keepsOrder {
                    let places = try existing(placed.namespace).places
                    batch.puts.removeAll { !$0.isNew && places[WriteWindow.key($0.id)] == nil }
                }
                found += try write(batch, to: placed.namespace)
            }
        }
        missing = found
    }

    /// False for one that is busy: windows grow.
    var wantsMore = true

    func awaitWrites() -> Int {
        defer { missing = nil }
        return missing ?? 0
    }

    func append(_ documents: [BSONDocument], to namespace: Namespace) throws(TidemarkError) {
        try call()
        if isBuilding { lateWrites += 1 }
        var collection = try existing(namespace)
        let last = documents.lastIndex { collection.places[WriteWindow.key($0["_id"]!)] != nil }
        for document in documents.dropFirst(isAhead ? (last ?? -1) + 1 : 0) {
            if collection.places[WriteWindow.key(document["_id"]!)] == nil {
                collection.add(document)
            }
        }
        collections[namespace] = collection
    }

    func create(_ namespace: Namespace, _ options: BSONDocument) throws(TidemarkError) {
        try call()
        if collections[namespace] == nil { collections[namespace] = Collection(options: options) }
    }

    func drop(_ namespace: Namespace) throws(TidemarkError) {
        try call()
        collections[namespace] = nil
    }

    func dropDatabase(_ name: String) throws(TidemarkError) {
        try call()
        collections = collections.filter { $0.key.database != name }
    }

    func rename(_ from: Namespace, to: Namespace, dropsTarget: Bool) throws(TidemarkError) {
        try call()
        if isAhead, collections[from] == nil { return }
        if collections[to] != nil, !dropsTarget {
            throw TidemarkError(.failed, "\(to) exists")
        }
        collections[to] = try existing(from)
        collections[from] = nil
    }

    func modify(_ namespace: Namespace, _ change: BSONDocument) throws(TidemarkError) {
        try call()
        var collection = try existing(namespace)
        for field in change.asCreated.fields {
            collection.options = collection.options.setting(field.name, field.value)
        }
        collections[namespace] = collection
    }

    func convertToCapped(_ namespace: Namespace, size: Int64) throws(TidemarkError) {
        try call()
        var collection = try existing(namespace)
        collection.options = collection.options.setting("capped", .bool(true))
            .setting("size", .int64(size))
        collections[namespace] = collection
    }

    func createIndexes(
        _ specifications: [BSONDocument], on namespace: Namespace
    ) throws(TidemarkError) {
        try call()
        isBuilding = true
        var collection = try existing(namespace)
        // One that is there already is no error, and no second one.
        collection.indexes += specifications.filter { !collection.indexes.contains($0) }
        collections[namespace] = collection
    }

    func createView(_ namespace: Namespace, _ options: BSONDocument) throws(TidemarkError) {
        try call()
        isBuilding = true
        views[namespace] = options
    }

    func mark(_ report: ReplayReport) throws(TidemarkError) {
        try call()
        marked = report.reached
        if marked > resumedAt, marked >= aheadAtResume { isAhead = false }
    }
}

extension MemoryDatabase.Collection {
    mutating func index() {
        places = [:]
        for (place, document) in documents.enumerated() {
            places[WriteWindow.key(document["_id"]!)] = place
        }
    }

    mutating func add(_ document: BSONDocument) {
        places[WriteWindow.key(document["_id"]!)] = documents.count
        documents.append(document)
        guard options["capped"]?.isTrue == true else { return }
        let most = Int(options["max"]?.integer ?? .max)
        let size = Int(options["size"]?.integer ?? .max)
        var bytes = documents.reduce(0) { $0 + $1.bytes.count }
        var dropped = 0
        while documents.count - dropped > most || bytes > size {
            bytes -= documents[dropped].bytes.count
            dropped += 1
        }
        if dropped > 0 {
            documents.removeFirst(dropped)
            index()
        }
    }

    /// SHA-256 of the raw documents in natural order, in hexadecimal.
    var naturalHash: String { Self.hash(documents) }
    /// The same in the order of `_id`.
    var sortedHash: String {
        Self.hash(documents.sorted { Self.precedes($0["_id"]!, $1["_id"]!) })
    }

    private static func hash(_ documents: [BSONDocument]) -> String {
        var hash = SHA256()
        for document in documents { hash.update(data: document.bytes) }
        return hash.finalize().map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }
            .joined()
    }

    /// The recorder's order: that of the bytes of `{_id: …}`.
    private static func precedes(_ a: BSONValue, _ b: BSONValue) -> Bool {
        BSONDocument([("_id", a)]).bytes.lexicographicallyPrecedes(BSONDocument([("_id", b)]).bytes)
    }
}
