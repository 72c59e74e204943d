import Mongo

/// `$set` and `$unset` as a server applies them (its update_object_node.cpp): what exists is
/// changed in place, the first of a name; new fields come behind the others in the order of their
/// names, in which numbers count as numbers from 5.0 on; what lacks on the way is made as a
/// document; in an array a number is a place, and what lacks before it becomes null.
///
/// Written for the double alone, so that a test holds two readings of the server together.
struct MongoDoubleModifiers {
    typealias Failure = MongoDoubleState.Failure

    private enum Edit { case set(BSONValue), unset }

    private var edits: [(path: [String], edit: Edit)] = []

    init(_ update: BSONDocument, numbersCount: Bool) throws(Failure) {
        for part in update.fields {
            guard ["$set", "$unset"].contains(part.name) else {
                throw Failure(
                    9, "FailedToParse", "the double has no update operator \(part.name)")
            }
            for field in part.value.document?.fields ?? [] {
                let path = field.name.split(separator: ".", omittingEmptySubsequences: false)
                    .map(String.init)
                try Self.check(path, field.name)
                edits.append((path, part.name == "$set" ? .set(field.value) : .unset))
            }
        }
        edits.sort { Self.precedes($0.path[...], $1.path[...], numbersCount: numbersCount) }
        for (one, next) in zip(edits, edits.dropFirst()) where next.path.starts(with: one.path) {
            throw Failure(
                40, "ConflictingUpdateOperators",
                "Updating the path '\(next.path.joined(separator: "."))' would create a conflict "
                    + "at '\(one.path.joined(separator: "."))'")
        }
    }

    private static func check(_ path: [String], _ name: String) throws(Failure) {
        if path.contains("") {
            throw Failure(56, "EmptyFieldName", "The update path '\(name)' contains an empty name")
        }
        if let part = path.first(where: { $0.hasPrefix("$") }) {
            throw Failure(
                52, "DollarPrefixedFieldName",
                "The dollar ($) prefixed field '\(part)' in '\(name)' is not allowed")
        }
    }

    private static func precedes(
        _ a: ArraySlice<String>, _ b: ArraySlice<String>, numbersCount: Bool
    ) -> Bool {
        for (left, right) in zip(a, b) where left != right {
            if numbersCount, let one = number(left), let other = number(right) {
                return one < other
            }
            return left.utf8.lexicographicallyPrecedes(right.utf8)
        }
        return a.count < b.count
    }

    private static func number(_ name: String) -> Int? {
        guard name == "0" || name.utf8.first != 48, name.utf8.allSatisfy({ (48...57).contains($0) })
        else { return nil }
        return Int(name)
    }

    func applied(to document: BSONDocument) throws(Failure) -> BSONDocument {
        var fields = document.fields.map { ($0.name, $0.value) }
        for (path, edit) in edits { try Self.apply(edit, path[...], &fields, path) }
        return BSONDocument(fields)
    }

    private static func apply(
        _ edit: Edit, _ path: ArraySlice<String>, _ fields: inout [(String, BSONValue)],
        _ whole: [String]
    ) throws(Failure) {
        guard let name = path.first else { return }
        let rest = path.dropFirst()
        guard let place = fields.firstIndex(where: { $0.0 == name }) else {
            if case .set(let value) = edit {
                fields.append((name, nested(value, rest)))
            }
            return
        }
        if rest.isEmpty {
            switch edit {
            case .set(let value): fields[place].1 = value
            case .unset: fields.remove(at: place)
            }
            return
        }
        fields[place].1 = try changed(fields[place].1, edit, rest, whole)
    }

    private static func nested(_ value: BSONValue, _ path: ArraySlice<String>) -> BSONValue {
        path.reversed().reduce(value) { .document(BSONDocument([($1, $0)])) }
    }

    /// Something that exists, and a path below it.
    private static func changed(
        _ value: BSONValue, _ edit: Edit, _ path: ArraySlice<String>, _ whole: [String]
    ) throws(Failure) -> BSONValue {
        if let document = value.document {
            var fields = document.fields.map { ($0.name, $0.value) }
            try apply(edit, path, &fields, whole)
            return .document(BSONDocument(fields))
        }
        guard var elements = value.elements, let name = path.first, let place = number(name) else {
            if case .unset = edit { return value }
            throw Failure(
                28, "PathNotViable",
                "Cannot create field '\(path.joined(separator: "."))' for the path "
                    + "'\(whole.joined(separator: "."))'")
        }
        let rest = path.dropFirst()
        if place < elements.count {
            switch (edit, rest.isEmpty) {
            case (.set(let new), true): elements[place] = new
            case (.unset, true): elements[place] = .null
            case (_, false): elements[place] = try changed(elements[place], edit, rest, whole)
            }
        } else if case .set(let new) = edit {
            guard place < elements.count + 1_500_000 else {
                throw Failure(2, "BadValue", "cannot backfill more than 1500000 elements")
            }
            while elements.count < place { elements.append(.null) }
            elements.append(nested(new, rest))
        }
        return .array(elements)
    }
}
