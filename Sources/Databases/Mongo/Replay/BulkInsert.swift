import CMongoC
import Model

/// Documents as they lie one behind the other, on their way into one collection. None is taken
/// apart: a copy of what was in the source needs no look inside.
enum BulkInsert {
    /// Validators are bypassed: what was in the source belongs into the copy.
    private static let inOrder = BSONDocument([
        ("ordered", .bool(true)), ("bypassDocumentValidation", .bool(true)),
        ("validate", .bool(false)),
    ])
    private static let inAnyOrder = inOrder.setting("ordered", .bool(false))
    /// DuplicateKey.
    private static let duplicate: Int64 = 11000

    /// Sends them. Returns the numbers of those whose `_id` was there already; in order, nothing
    /// behind the first such was sent.
    ///
    /// - Precondition: the lengths of the documents were followed, and there are `count`.
    static func run(
        _ connection: Connection, _ namespace: Namespace, _ documents: [UInt8], count: Int,
        isOrdered: Bool, isAgain: Bool = false
    ) throws(TidemarkError) -> [Int] {
        let made = unsafe mongoc_client_get_collection(
            connection.client, namespace.database, namespace.collection)
        guard let collection = unsafe made, let reply = unsafe bson_new() else {
            preconditionFailure("there is memory")
        }
        defer {
            // libmongoc makes the reply anew in place.
            unsafe bson_destroy(reply)
            unsafe mongoc_collection_destroy(collection)
        }
        var failure = bson_error_t()
        let isDone = unsafe CDocument.with(isOrdered ? inOrder : inAnyOrder) { options in
            unsafe documents.withUnsafeBufferPointer { bytes in
                unsafe tm_insert_many(
                    collection, bytes.baseAddress, count, options, reply, &failure)
            }
        }
        var empty = EmptyTimestamps()
        empty.look(documents, count: count)
        if isDone {
            try empty.put(connection, into: namespace)
            return []
        }
        let told = unsafe CDocument.copy(reply)
        let errors = (told["writeErrors"]?.elements ?? []).compactMap(\.document)
        let other = errors.first { $0["code"]?.integer != duplicate }
        guard other == nil, !errors.isEmpty else {
            let failure = ConnectionFailure(failure, other ?? told)
            if failure.isMixedBuckets, !isAgain {
                // Those that were taken are there already then.
                try connection.takeMixedBuckets(namespace)
                return try run(
                    connection, namespace, documents, count: count, isOrdered: isOrdered,
                    isAgain: true)
            }
            throw failure.targetError(
                connection.configuration, "\(count) documents for \(namespace)")
        }
        try empty.put(connection, into: namespace)
        return errors.compactMap { $0["index"]?.integer.flatMap { Int(exactly: $0) } }
    }
}
