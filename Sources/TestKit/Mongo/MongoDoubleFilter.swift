import Mongo

/// Which documents a write, or a `find`, is about, as far as this program asks: by fields at the
/// top that equal something (`{_id: 1}`, `{_id: {$eq: 1}}`) or one of several (`$in`).
struct MongoDoubleFilter {
    private enum Wanted {
        case one(BSONValue)
        case any(Set<BSONValue>)
    }

    private var fields: [(name: String, wanted: Wanted)] = []

    /// Nil for anything else: better an error than documents that were not asked for.
    init?(_ filter: BSONDocument) {
        for field in filter.fields {
            guard !field.name.hasPrefix("$"), !field.name.contains(".") else { return nil }
            let condition = field.value.document
            guard let operation = condition?.firstName, operation.hasPrefix("$") else {
                fields.append((field.name, .one(Self.key(field.value))))
                continue
            }
            let value = condition?.fields.first?.value
            switch (operation, condition?.fields.count, value) {
            case ("$eq", 1, let value?): fields.append((field.name, .one(Self.key(value))))
            case ("$in", 1, let value?):
                fields.append((field.name, .any(Set((value.elements ?? []).map(Self.key)))))
            default: return nil
            }
        }
    }

    /// The one `_id` that is asked for; nil when there may be others.
    var id: BSONValue? {
        for case ("_id", .one(let id)) in fields { return id }
        return nil
    }

    /// The `_id`s that are asked for; nil when there may be others.
    var ids: Set<BSONValue>? {
        for case ("_id", let wanted) in fields {
            switch wanted {
            case .one(let id): return [id]
            case .any(let ids): return ids
            }
        }
        return nil
    }

    func matches(_ document: BSONDocument) -> Bool {
        fields.allSatisfy { name, wanted in
            guard let value = document[name].map(Self.key) else { return false }
            switch wanted {
            case .one(let one): return value == one
            case .any(let several): return several.contains(value)
            }
        }
    }

    /// A server takes 1, 1.0 and 1L for the same.
    static func key(_ value: BSONValue) -> BSONValue {
        value.integer.map { .int64($0) } ?? value
    }
}
