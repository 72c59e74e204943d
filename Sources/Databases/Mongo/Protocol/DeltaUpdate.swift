/// An update as servers from 5.0 on write it: `{$v: 2, diff: …}`.
///
/// ```
/// of a document:  {d: {name: false}, u: {name: value}, i: {name: value}, b: {name: {o, d}},
///                  sNAME: diff}
/// of an array:    {a: true, l: length, uINDEX: value, sINDEX: diff}
/// ```
///
/// After the server's document_diff_serialization.h and document_diff_applier.cpp. `d` takes away;
/// `u` changes in place, or adds where the field lacks; `i` adds behind the others, and takes a
/// field of that name from its old place; `b` (8.0, buckets of time series) keeps the first `o`
/// bytes of a binary and puts `d` behind them. A difference of what is no longer a document, or
/// array, becomes null: the server trusts that a later entry will set it, and so it is counted. Of
/// a name that occurs twice `d` and `u` take the first, as the primary's `$unset` and `$set` do
/// that they tell of; a secondary takes all.
package struct DeltaUpdate: Hashable, Sendable {
    indirect enum Edit: Hashable, Sendable {
        case delete
        case update(BSONValue)
        case insert(BSONValue)
        case binary(offset: Int, BSONValue)
        case document(ObjectDiff)
        case array(ArrayDiff)
    }

    struct ObjectDiff: Hashable, Sendable {
        var edits: [ArraySlice<UInt8>: Edit] = [:]
        /// Names of `u` and `i`, in the order in which new fields are added.
        var additions: [ArraySlice<UInt8>] = []
    }

    struct ArrayDiff: Hashable, Sendable {
        var length: Int?
        /// Ascending by place.
        var edits: [(place: Int, edit: Edit)] = []

        static func == (a: ArrayDiff, b: ArrayDiff) -> Bool {
            a.length == b.length && a.edits.count == b.edits.count
                && zip(a.edits, b.edits).allSatisfy { $0.place == $1.place && $0.edit == $1.edit }
        }

        func hash(into hasher: inout Hasher) {
            hasher.combine(length)
            for (place, edit) in edits {
                hasher.combine(place)
                hasher.combine(edit)
            }
        }
    }

    private let root: ObjectDiff

    init(_ diff: BSONDocument) throws(BSONFailure) {
        root = try DiffReader.object(diff)
    }

    /// What `$set` and `$unset` of fields at the top would do; nil when that is not all.
    var topEdits: [ModifierUpdate.TopEdit]? {
        var edits: [ModifierUpdate.TopEdit] = []
        for name in root.additions {
            guard case .update(let value) = root.edits[name] else { return nil }
            edits.append(.init(name: Array(name), leaf: .set(value)))
        }
        let taken = root.edits.filter { $0.value == .delete }.keys
        guard edits.count + taken.count == root.edits.count else { return nil }
        return edits + taken.map { .init(name: Array($0), leaf: .unset) }
    }

    /// The document after it.
    func applied(to document: BSONDocument) -> UpdateOutcome {
        var work = DeltaWork()
        var writer = BSONWriter()
        work.object(document.fields, root, &writer)
        return UpdateOutcome(document: writer.finish(), misses: work.misses)
    }
}

/// Reads a difference; anything not known is refused.
private enum DiffReader {
    /// Longest array that is believed: one byte of type, one of name, one zero each.
    private static let longestArray = BSONLimit.documentBytes / 3

    static func object(_ diff: BSONDocument) throws(BSONFailure) -> DeltaUpdate.ObjectDiff {
        var result = DeltaUpdate.ObjectDiff()
        for section in diff.fields {
            let letter = section.rawName.first
            if letter == UInt8(ascii: "s") {
                try add(section.rawName.dropFirst(), try sub(section.value), to: &result)
                continue
            }
            for field in try document(section.value).fields {
                switch section.name {
                case "d": try add(field.rawName, .delete, to: &result)
                case "u":
                    try add(field.rawName, .update(field.value), to: &result)
                    result.additions.append(field.rawName)
                case "i":
                    try add(field.rawName, .insert(field.value), to: &result)
                    result.additions.append(field.rawName)
                case "b": try add(field.rawName, try binary(field.value), to: &result)
                default:
                    throw BSONFailure("a difference has \(section.name), which is not known", at: 0)
                }
            }
        }
        return result
    }

    private static func add(
        _ name: ArraySlice<UInt8>, _ edit: DeltaUpdate.Edit, to diff: inout DeltaUpdate.ObjectDiff
    ) throws(BSONFailure) {
        guard diff.edits.updateValue(edit, forKey: name) == nil else {
            throw BSONFailure("a difference names a field twice", at: 0)
        }
    }

    private static func sub(_ value: BSONValue) throws(BSONFailure) -> DeltaUpdate.Edit {
        let diff = try document(value)
        return diff.firstName == "a" ? .array(try array(diff)) : .document(try object(diff))
    }

    private static func array(_ diff: BSONDocument) throws(BSONFailure) -> DeltaUpdate.ArrayDiff {
        var result = DeltaUpdate.ArrayDiff()
        for field in diff.fields.dropFirst() {
            if field.name == "l" {
                guard let length = field.value.integer, (0...Int64(longestArray)).contains(length)
                else { throw BSONFailure("an array cannot have this length", at: 0) }
                result.length = Int(length)
                continue
            }
            guard let place = Int(field.name.dropFirst()), (0...longestArray).contains(place),
                place > result.edits.last?.place ?? -1
            else { throw BSONFailure("an array has no place \(field.name)", at: 0) }
            switch field.name.first {
            case "u": result.edits.append((place, .update(field.value)))
            case "s": result.edits.append((place, try sub(field.value)))
            default: throw BSONFailure("an array has \(field.name), which is not known", at: 0)
            }
        }
        if let length = result.length, let last = result.edits.last, last.place >= length {
            throw BSONFailure("an array is changed behind its end", at: 0)
        }
        return result
    }

    private static func binary(_ value: BSONValue) throws(BSONFailure) -> DeltaUpdate.Edit {
        let diff = try document(value)
        guard let offset = diff["o"]?.integer,
            (0...Int64(BSONLimit.documentBytes)).contains(offset),
            let data = diff["d"], data.type == .binary
        else { throw BSONFailure("a binary difference has no offset or no data", at: 0) }
        return .binary(offset: Int(offset), data)
    }

    private static func document(_ value: BSONValue) throws(BSONFailure) -> BSONDocument {
        guard let document = value.document else {
            throw BSONFailure("a part of a difference is no document", at: 0)
        }
        return document
    }
}

/// The walk of one application.
private struct DeltaWork {
    var misses = 0

    mutating func object(
        _ fields: [BSONDocument.Field], _ diff: DeltaUpdate.ObjectDiff, _ writer: inout BSONWriter
    ) {
        var updated = Set<ArraySlice<UInt8>>()
        var deleted = Set<ArraySlice<UInt8>>()
        for field in fields {
            switch diff.edits[field.rawName] {
            case nil: writer.append(field.rawName, field.value)
            case .insert: continue
            case .delete:
                let isFirst = deleted.insert(field.rawName).inserted
                if !isFirst { writer.append(field.rawName, field.value) }
            case .update(let value):
                let isFirst = updated.insert(field.rawName).inserted
                writer.append(field.rawName, isFirst ? value : field.value)
            case .some(let edit): inside(field.rawName, field.value, edit, &writer)
            }
        }
        for name in diff.additions where !updated.contains(name) {
            switch diff.edits[name] {
            case .update(let value), .insert(let value): writer.append(name, value)
            default: preconditionFailure("only updates and inserts add fields")
            }
        }
    }

    /// A difference of the value itself.
    private mutating func inside(
        _ name: some Collection<UInt8>, _ old: BSONValue?, _ edit: DeltaUpdate.Edit,
        _ writer: inout BSONWriter
    ) {
        switch (edit, old?.type) {
        case (.update(let value), _), (.insert(let value), _): writer.append(name, value)
        case (.document(let diff), .document):
            writer.begin(.document, name)
            object(BSONDocument(sound: Array(old!.bytes)).fields, diff, &writer)
            writer.end()
        case (.array(let diff), .array):
            writer.begin(.array, name)
            array(BSONDocument(sound: Array(old!.bytes)).fields.map(\.value), diff, &writer)
            writer.end()
        case (.binary(let offset, let data), .binary):
            writer.append(name, patched(old!, offset, data))
        default:
            misses += 1
            writer.append(name, .null)
        }
    }

    private mutating func patched(_ old: BSONValue, _ offset: Int, _ data: BSONValue) -> BSONValue {
        guard let before = old.binary, let new = data.binary else { return data }
        if offset > before.content.count { misses += 1 }
        return .binary(
            Array(before.content.prefix(offset)) + Array(new.content), subtype: before.subtype)
    }

    private mutating func array(
        _ values: [BSONValue], _ diff: DeltaUpdate.ArrayDiff, _ writer: inout BSONWriter
    ) {
        var edits = diff.edits[...]
        let count = diff.length ?? max(values.count, (edits.last?.place ?? -1) + 1)
        for place in 0..<count {
            let old = place < values.count ? values[place] : nil
            let name = String(place).utf8
            if let edit = edits.first, edit.place == place {
                edits.removeFirst()
                inside(name, old, edit.edit, &writer)
            } else {
                writer.append(name, old ?? .null)
            }
        }
    }
}
