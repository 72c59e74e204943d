import Model
import Platform
import TestKit
import Testing

@testable import Mongo

/// A double that is written to, over our own connection: libmongoc packs what it gets.
struct DoubleUse {
    let double: MongoDouble
    let connection: Connection

    /// Of the version that `hello` and the writes are to be like.
    init(version: String = "4.4.4") throws {
        let made = try Self.double(version: version)
        double = made
        connection = try Connection(Self.configuration(made.url))
    }

    /// With one entry, behind which everything lies.
    static func double(version: String) throws -> MongoDouble {
        let entry = BSONDocument([
            ("op", .string("n")), ("ns", .string("")), ("o", .document(.empty)),
            ("ts", .timestamp(OpTime(seconds: 1_700_000_000, increment: 1))), ("t", .int64(1)),
            ("wall", .date(milliseconds: 1_700_000_000_000)), ("v", .int64(2)),
        ])
        let double = try MongoDouble(entries: [entry.bytes])
        let major = version.split(separator: ".").first.flatMap { Int32($0) } ?? 0
        let wireVersions: [Int32: Int32] = [4: 9, 5: 13, 6: 17, 7: 21, 8: 25]
        double.state.update { state in
            state.version = version
            state.wireVersion = min(21, wireVersions[major] ?? 9)
        }
        return double
    }

    static func configuration(_ url: String) throws -> MongoConfiguration {
        try MongoConfiguration(source: try #require(SourceID("lessons")), url: url)
    }

    /// The answer; nil for a refusal, whose code is `refusal`.
    @discardableResult
    func run(_ fields: [(String, BSONValue)], on database: String = "db") throws -> BSONDocument {
        switch try connection.answer(BSONDocument(fields), on: database, at: .primary) {
        case .success(let reply): return reply
        case .failure(let failure):
            throw TidemarkError(.failed, "\(failure.code): \(failure.text)")
        }
    }

    /// The code with which a command is refused; zero when it is not.
    func refusal(_ fields: [(String, BSONValue)], on database: String = "db") throws -> Int {
        switch try connection.answer(BSONDocument(fields), on: database, at: .primary) {
        case .success: return 0
        case .failure(let failure): return failure.code
        }
    }

    /// One statement of an update; its answer.
    @discardableResult
    func update(
        _ id: BSONValue, _ update: BSONDocument, upserts: Bool = false, of place: Namespace = place
    ) throws -> BSONDocument {
        let statement = BSONDocument([
            ("q", .document(BSONDocument([("_id", id)]))), ("u", .document(update)),
            ("upsert", .bool(upserts)),
        ])
        return try run([
            ("update", .string(place.collection)), ("updates", .array([.document(statement)])),
        ])
    }

    func insert(_ documents: [BSONDocument], into place: Namespace = place) throws {
        try run(
            [
                ("insert", .string(place.collection)),
                ("documents", .array(documents.map { .document($0) })),
                ("bypassDocumentValidation", .bool(true)),
            ], on: place.database)
    }

    static let place = Namespace("db", "c")

    /// What the double has; nil for nothing of that name.
    func stored(_ place: Namespace = place) -> MongoDoubleState.Stored? {
        double.state.read { $0.collections[place] }
    }

    func documents(_ place: Namespace = place) -> [BSONDocument] { stored(place)?.documents ?? [] }

    static func document(_ text: String) throws -> BSONDocument {
        try ExtendedJSON.parse(Array(text.utf8), "a test's document")
    }
}

extension BSONDocument {
    /// The code of the first statement that was refused; nil when none was.
    var refusedCode: Int64? { self["writeErrors"]?.elements?.first?.document?["code"]?.integer }
}
