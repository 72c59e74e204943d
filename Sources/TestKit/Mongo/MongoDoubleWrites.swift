import Model
import Mongo
import Platform

// The writing half of the double: `insert`, `update` and `delete` change what the reading half
// serves. Nothing of it comes into the oplog: the double never invents entries, so a test that
// wants those of a write serves recorded ones.
//
// Offered is what this program sends: documents are found by fields that equal something, and
// changed by `$set`, `$unset` or as a whole. All else is an error that says so.
extension MongoDoubleAnswers {
    func write(_ database: String, _ request: BSONDocument) -> BSONDocument {
        if let seconds = state.read({ $0.writesTake }) {
            _ = state.wait(seconds: seconds) { _ in nil as Bool? }
        }
        return state.update { state in
            do throws(MongoDoubleState.Failure) {
                return ok(try MongoDoubleWrite(database, request).run(&state))
            } catch {
                return self.error(error.code, error.name, error.message)
            }
        }
    }
}

/// One command that writes: statements in order, each by itself.
struct MongoDoubleWrite {
    typealias Failure = MongoDoubleState.Failure

    private let kind: String
    private let place: Namespace
    private let statements: [BSONDocument]
    private let isOrdered: Bool
    private let bypassesValidation: Bool

    init(_ database: String, _ request: BSONDocument) {
        kind = request.firstName ?? ""
        place = Namespace(database, request[kind]?.string ?? "")
        let name = ["insert": "documents", "update": "updates", "delete": "deletes"][kind] ?? ""
        statements = (request[name]?.elements ?? []).compactMap(\.document)
        isOrdered = request["ordered"].map(\.isTrue) ?? true
        bypassesValidation = request["bypassDocumentValidation"]?.isTrue == true
    }

    private struct Outcome {
        var n = 0
        var modified = 0
        var upserted: [BSONValue] = []
        var errors: [BSONValue] = []
    }

    func run(_ state: inout MongoDoubleState) throws(Failure) -> [(String, BSONValue)] {
        try check(state)
        guard !statements.isEmpty else {
            throw Failure(16, "InvalidLength", "Write batch sizes must be between 1 and 100000")
        }
        let isThere = state.collections[place] != nil
        let old = state.collections.removeValue(forKey: place)
        var documents = MongoDoubleDocuments(old ?? state.newCollection())
        var outcome = Outcome()
        for (index, statement) in statements.enumerated() {
            do throws(Failure) {
                try run(statement, index, &documents, &outcome, &state)
            } catch {
                outcome.errors.append(
                    .document(
                        BSONDocument([
                            ("index", .int32(Int32(index))), ("code", .int32(error.code)),
                            ("errmsg", .string(error.message)),
                        ])))
                if isOrdered { break }
            }
        }
        // Whatever is written makes the collection; what finds nothing does not.
        let isMade = kind == "insert" || !outcome.upserted.isEmpty
        if isThere || isMade { state.collections[place] = documents.finished }
        return answer(outcome)
    }

    private func answer(_ outcome: Outcome) -> [(String, BSONValue)] {
        var fields: [(String, BSONValue)] = [("n", .int32(Int32(outcome.n)))]
        if kind == "update" { fields.append(("nModified", .int32(Int32(outcome.modified)))) }
        if !outcome.upserted.isEmpty { fields.append(("upserted", .array(outcome.upserted))) }
        if !outcome.errors.isEmpty { fields.append(("writeErrors", .array(outcome.errors))) }
        return fields
    }

    private func check(_ state: MongoDoubleState) throws(Failure) {
        guard state.isPrimary else { throw Failure.notPrimary }
        switch state.collections[place]?.type {
        case "view":
            throw Failure(
                166, "CommandNotSupportedOnView", "Namespace \(place) is a view, not a collection")
        case "timeseries":
            throw Failure(
                115, "CommandNotSupported",
                "the double makes no buckets of measurements: write to "
                    + "\(MongoDoubleSeries.buckets(of: place))")
        case nil where MongoDoubleSeries.isOfBuckets(place):
            throw Failure(26, "NamespaceNotFound", "there are no buckets \(place): create first")
        default: return
        }
    }

    private func run(
        _ statement: BSONDocument, _ index: Int, _ documents: inout MongoDoubleDocuments,
        _ outcome: inout Outcome, _ state: inout MongoDoubleState
    ) throws(Failure) {
        switch kind {
        case "insert":
            try insert(state.fixed(statement, isInserted: true), &documents, state)
            outcome.n += 1
        case "delete": outcome.n += try delete(statement, &documents, state)
        default: try update(statement, index, &documents, &outcome, &state)
        }
    }

    /// What a server looks at before it stores a document.
    private func judge(
        _ document: BSONDocument, _ documents: MongoDoubleDocuments, _ state: MongoDoubleState
    ) throws(Failure) {
        if documents.hasValidator, !bypassesValidation {
            throw Failure(
                121, "DocumentValidationFailure",
                "the double judges by no validator: write to \(place) with "
                    + "bypassDocumentValidation")
        }
        guard documents.isOfBuckets, !documents.takesMixedBuckets, state.isAtLeast(6),
            MongoDoubleSeries.isMixed(document)
        else { return }
        throw Failure(
            408, "CannotInsertTimeseriesBucketsWithMixedSchema",
            "Cannot write time-series bucket containing mixed schema data, please run collMod "
                + "with timeseriesBucketsMayHaveMixedSchemaData and retry your insert")
    }

    private func insert(
        _ document: BSONDocument, _ documents: inout MongoDoubleDocuments,
        _ state: MongoDoubleState
    ) throws(Failure) {
        try judge(document, documents, state)
        guard documents.insert(document) else {
            let key = BSONDocument([("_id", document["_id"] ?? .null)]).text(limit: 100)
            throw Failure(
                11000, "DuplicateKey",
                "E11000 duplicate key error collection: \(place) index: _id_ dup key: \(key)")
        }
    }

    private func delete(
        _ statement: BSONDocument, _ documents: inout MongoDoubleDocuments,
        _ state: MongoDoubleState
    ) throws(Failure) -> Int {
        let found = documents.places(try filter(statement))
        if documents.isCapped, !state.isAtLeast(5), !found.isEmpty {
            throw Failure(
                20, "IllegalOperation", "cannot remove from a capped collection: \(place)")
        }
        let places = statement["limit"]?.integer == 1 ? Array(found.prefix(1)) : found
        for place in places { documents.remove(place) }
        return places.count
    }

    private func filter(_ statement: BSONDocument) throws(Failure) -> MongoDoubleFilter {
        guard let filter = MongoDoubleFilter(statement["q"]?.document ?? .empty) else {
            throw Failure(
                2, "BadValue",
                "the double finds by fields that equal something, not by "
                    + (statement["q"]?.document?.text(limit: 200) ?? ""))
        }
        return filter
    }

    // MARK: update

    private func update(
        _ statement: BSONDocument, _ index: Int, _ documents: inout MongoDoubleDocuments,
        _ outcome: inout Outcome, _ state: inout MongoDoubleState
    ) throws(Failure) {
        guard let update = statement["u"]?.document else {
            throw Failure(9, "FailedToParse", "the double takes no pipeline as an update")
        }
        let filter = try filter(statement)
        let isMulti = statement["multi"]?.isTrue == true
        let isReplacement = update.firstName?.hasPrefix("$") != true
        if isMulti, isReplacement {
            throw Failure(9, "FailedToParse", "multi update is not supported for a replacement")
        }
        let found = documents.places(filter)
        for place in isMulti ? found : Array(found.prefix(1)) {
            guard let old = documents[place] else { continue }
            let new = try changed(old, by: update, isReplacement, &state)
            outcome.n += 1
            guard new != old else { continue }
            try judge(new, documents, state)
            if documents.isCapped, !state.isAtLeast(5), new.bytes.count != old.bytes.count {
                throw Failure(
                    10003, "CannotGrowDocumentInCappedNamespace",
                    "Cannot change the size of a document in a capped collection: "
                        + "\(old.bytes.count) != \(new.bytes.count)")
            }
            documents.replace(place, with: new)
            outcome.modified += 1
        }
        guard found.isEmpty, statement["upsert"]?.isTrue == true else { return }
        let base = BSONDocument(filter.id.map { [("_id", raw($0, statement))] } ?? [])
        var new = try changed(base, by: update, isReplacement, &state)
        new = state.fixed(new, isInserted: true)
        try insert(new, &documents, state)
        outcome.n += 1
        outcome.upserted.append(
            .document(
                BSONDocument([
                    ("index", .int32(Int32(index))), ("_id", new["_id"] ?? .null),
                ])))
    }

    /// The `_id` as the statement has it.
    private func raw(_ id: BSONValue, _ statement: BSONDocument) -> BSONValue {
        let told = statement["q"]?.document?["_id"]
        return told?.document?["$eq"] ?? told ?? id
    }

    private func changed(
        _ old: BSONDocument, by update: BSONDocument, _ isReplacement: Bool,
        _ state: inout MongoDoubleState
    ) throws(Failure) -> BSONDocument {
        var new: BSONDocument
        if isReplacement {
            new = update
            if let id = old["_id"], new["_id"] == nil {
                new = BSONDocument([("_id", id)] + new.fields.map { ($0.name, $0.value) })
            }
            new = state.fixed(new, isInserted: false)
        } else {
            let modifiers = try MongoDoubleModifiers(update, numbersCount: state.isAtLeast(5))
            new = try modifiers.applied(to: old)
        }
        let isSame = old["_id"].map { MongoDoubleFilter.key($0) }
        guard isSame == nil || isSame == new["_id"].map({ MongoDoubleFilter.key($0) }) else {
            throw Failure(66, "ImmutableField", "the update would change the immutable field '_id'")
        }
        return new
    }
}

extension MongoDoubleState.Failure {
    static let notPrimary = Self(10107, "NotWritablePrimary", "not primary")
}

extension MongoDoubleState {
    /// With the index that every collection has.
    mutating func newCollection() -> Stored {
        named += 1
        var stored = Stored()
        stored.uuid = CollectionUUID(
            [UInt8](repeating: 0xD0, count: 12) + nextName)
        stored.indexes = [
            BSONDocument([
                ("v", .int32(2)), ("key", .document(BSONDocument([("_id", .int32(1))]))),
                ("name", .string("_id_")),
            ])
        ]
        return stored
    }

    private var nextName: [UInt8] { (0..<4).map { UInt8(named >> (24 - 8 * $0) & 255) } }

    /// As the server stores it (`fixDocumentForInsert`): `_id` in front, made where there is none,
    /// and its own time in the place of each empty timestamp at the top.
    mutating func fixed(_ document: BSONDocument, isInserted: Bool) -> BSONDocument {
        var id = document["_id"]
        if id == nil, isInserted {
            named += 1
            id = .objectID(
                [UInt8](repeating: 0xD0, count: 8) + nextName)
        }
        let fields = document.fields
        let isPlain = fields.first?.name == "_id" || id == nil
        let hasEmpty = fields.contains { $0.value.timestamp == .zero && $0.name != "_id" }
        if isPlain, !hasEmpty { return document }
        let rest = fields.filter { $0.name != "_id" }.map { field in
            guard field.value.timestamp == .zero else { return (field.name, field.value) }
            named += 1
            let now = OpTime(seconds: max(1, newest.seconds), increment: named)
            return (field.name, BSONValue.timestamp(now))
        }
        return BSONDocument((id.map { [("_id", $0)] } ?? []) + rest)
    }
}
