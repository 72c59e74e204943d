package import Mongo

/// The order in which a server compares `_id`s of whatever type (the manual, "Comparison/Sort
/// Order"), as far as tests use them.
package enum BSONOrder {
    package static func precedes(_ a: BSONValue, _ b: BSONValue) -> Bool {
        let (first, second) = (bracket(a), bracket(b))
        guard first == second else { return first < second }
        if let left = number(a), let right = number(b) {
            // NaN comes before all other numbers.
            return left.isNaN || right.isNaN ? left.isNaN && !right.isNaN : left < right
        }
        if let left = a.string, let right = b.string {
            return left.utf8.lexicographicallyPrecedes(right.utf8)
        }
        if let left = a.document, let right = b.document { return precedes(left, right) }
        if let left = a.binary, let right = b.binary {
            return (left.content.count, left.subtype) == (right.content.count, right.subtype)
                ? left.content.lexicographicallyPrecedes(right.content)
                : (left.content.count, left.subtype) < (right.content.count, right.subtype)
        }
        if let left = a.date, let right = b.date { return left < right }
        if let left = a.timestamp, let right = b.timestamp { return left < right }
        return BSONDocument([("", a)]).bytes.lexicographicallyPrecedes(
            BSONDocument([("", b)]).bytes)
    }

    /// Field by field: type, name, value.
    private static func precedes(_ a: BSONDocument, _ b: BSONDocument) -> Bool {
        for (left, right) in zip(a.fields, b.fields) {
            let (first, second) = (bracket(left.value), bracket(right.value))
            if first != second { return first < second }
            if left.name != right.name { return left.name < right.name }
            if precedes(left.value, right.value) { return true }
            if precedes(right.value, left.value) { return false }
        }
        return a.fields.count < b.fields.count
    }

    /// The place of its type.
    static func bracket(_ value: BSONValue) -> Int {
        switch value.type {
        case .minKey: 0
        case .undefined: 1
        case .null: 2
        case .double, .int32, .int64, .decimal: 3
        case .string, .symbol: 4
        case .document: 5
        case .array: 6
        case .binary: 7
        case .objectID: 8
        case .boolean: 9
        case .date: 10
        case .timestamp: 11
        case .regex: 12
        case .pointer: 13
        case .code: 14
        case .scopedCode: 15
        case .maxKey: 16
        }
    }

    private static func number(_ value: BSONValue) -> Double? {
        value.integer.map(Double.init) ?? Double(value.doubleText)
    }
}
