import CMongoC
import Model

/// Puts into one collection that are sent together, as libmongoc packs them. Validators are
/// bypassed: what was in the source belongs into the copy.
@safe
struct BulkWrite: ~Copyable {
    private let connection: Connection
    private let namespace: Namespace
    private let bulk: OpaquePointer
    private let collection: OpaquePointer
    private var empty = EmptyTimestamps()

    init(_ connection: Connection, _ namespace: Namespace, isOrdered: Bool) {
        self.connection = connection
        self.namespace = namespace
        let made = unsafe mongoc_client_get_collection(
            connection.client, namespace.database, namespace.collection)
        guard let collection = unsafe made else { preconditionFailure("there is memory") }
        unsafe self.collection = collection
        let options = BSONDocument([("ordered", .bool(isOrdered))])
        let begun = unsafe CDocument.with(options) { bson in
            unsafe mongoc_collection_create_bulk_operation_with_opts(collection, bson)
        }
        guard let bulk = unsafe begun else { preconditionFailure("there is memory") }
        unsafe self.bulk = bulk
        unsafe mongoc_bulk_operation_set_bypass_document_validation(bulk, true)
    }

    deinit {
        unsafe mongoc_bulk_operation_destroy(bulk)
        unsafe mongoc_collection_destroy(collection)
    }

    /// libmongoc's own look at the documents is switched off: names with dots and dollars are what
    /// the source had.
    private static let putting = BSONDocument([("validate", .bool(false)), ("upsert", .bool(true))])
    private static let replacing = putting.setting("upsert", .bool(false))

    /// Replaces the document of this `_id`; where there is none, makes it if it `makes` one.
    mutating func put(_ id: BSONValue, _ document: BSONDocument, makes: Bool = true) {
        empty.look(document)
        let isTaken = unsafe CDocument.with(BSONDocument([("_id", id)])) { selector in
            unsafe CDocument.with(document) { bson in
                unsafe CDocument.with(makes ? Self.putting : Self.replacing) { options in
                    unsafe mongoc_bulk_operation_replace_one_with_opts(
                        bulk, selector, bson, options, nil)
                }
            }
        }
        precondition(isTaken, "libmongoc takes a document that it is not to look at")
    }

    /// Sends everything; returns how many documents were new.
    mutating func run() throws(TidemarkError) -> Int {
        let outcome = try send()
        guard let failure = outcome.failure else { return outcome.new }
        throw failure.targetError(connection.configuration, "documents for \(namespace)")
    }

    /// The same, with what was refused.
    mutating func send() throws(TidemarkError) -> (new: Int, failure: ConnectionFailure?) {
        guard let reply = unsafe bson_new() else { preconditionFailure("there is memory") }
        defer { unsafe bson_destroy(reply) }
        var failure = bson_error_t()
        let server = unsafe mongoc_bulk_operation_execute(bulk, reply, &failure)
        let told = unsafe CDocument.copy(reply)
        let new = Int(told["nUpserted"]?.integer ?? 0)
        guard server != 0 else { return (new, ConnectionFailure(failure, told.withoutOutcome)) }
        try empty.put(connection, into: namespace)
        return (new, nil)
    }
}

extension BSONDocument {
    /// The first error among those of a bulk write, as a command would answer it.
    fileprivate var withoutOutcome: BSONDocument {
        self["writeErrors"]?.elements?.first?.document ?? .empty
    }
}
