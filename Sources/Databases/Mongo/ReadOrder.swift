/// In which order the documents of a collection are read.
enum ReadOrder: Hashable, Sendable {
    /// As they lie: what a capped collection means by its order.
    case natural
    case byID(IDRange)
}

/// A stretch of a collection by `_id`, which is one value after the other whatever their types.
///
/// Asked for by bounds of the index (`min`, `max`). A filter on `_id` would find only values of the
/// bound's own type, and so lose all others where a collection mixes them.
struct IDRange: Hashable, Sendable {
    /// With it; nil from the collection's first document on.
    var first: BSONValue?
    /// Without it; nil up to the last one.
    var end: BSONValue?

    static let whole = IDRange()

    /// Without an upper bound the server puts MaxKey there and leaves it out, although a document
    /// may have it for its `_id` (`finishMaxObj` of query_planner.cpp, for a scan with bounds).
    var omitsGreatest: Bool { first != nil && end == nil }

    /// Fields of the command `find`.
    var fields: [(String, BSONValue)] {
        let order = BSONValue.document(BSONDocument([("_id", .int32(1))]))
        var fields: [(String, BSONValue)] = [("sort", order), ("hint", order)]
        for (name, bound) in [("min", first), ("max", end)] {
            if let bound { fields.append((name, .document(BSONDocument([("_id", bound)])))) }
        }
        return fields
    }

    /// The document that `omitsGreatest` is about.
    static let greatest: [(String, BSONValue)] = [
        ("filter", .document(BSONDocument([("_id", BSONValue(.maxKey, []))])))
    ]
}
