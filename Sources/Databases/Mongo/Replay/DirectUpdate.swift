/// Updates of one document that a server can make by itself to the same bytes: fields at the top
/// that are set or taken away. It saves the read, and the way of the whole document there and back.
///
/// Only what gives the same as our own code on every server from 3.6 on, **whatever the document
/// is**, also one that is newer than the entry. Then nothing else changes: each document of a
/// window is still written once, in one step, to what `UpdateForm.applied` makes of it. So an
/// interruption leaves it as it was before the window or as it is behind it, as ever, and what goes
/// on from the last mark does to it what it would have done. That is why:
///
/// * A field that exists is changed in place, by its type and bytes and not by what compares equal
///   (`SetNode::updateExistingElement`), and of several of one name the first; new ones come
///   behind the others in the order of their names (`UpdateObjectNode`). Servers up to 4.4 do not
///   take numbers for numbers there, so no name may begin with a digit, and names must come in
///   order already: then it is also the order in which they are told, which is how deltas and
///   change streams add.
/// * The `i` of a delta takes a field from its place, and `$set` does not: it is not taken.
/// * A field that is set behind its removal is the last one then, one that is only set need not
///   be: such a pair is not put together.
/// * Names with dots and dollars, and such inside of values, are refused by some and read as
///   something else by others; empty timestamps and types that are no longer in use are treated
///   differently. Such values go with their document, as do large and deep ones.
///
/// Collections with options of any kind (validators, collations, capped, clustered and encrypted
/// ones, time series) are left to whole documents, and so is every server that has not shown that
/// it does this (`DirectUpdateProof`).
package struct DirectUpdate: Hashable, Sendable {
    /// Ascending by name.
    var sets: [Field] = []
    var removed: [[UInt8]] = []

    struct Field: Hashable, Sendable {
        var name: [UInt8]
        var value: BSONValue
    }

    /// Larger values are not worth a look at all that is in them.
    private static let longestValue = 1 << 16
    /// Of all together: far below what a command may have.
    private static let longest = 1 << 20
    /// Documents inside documents; servers have limits of their own for both.
    private static let depth = 16

    /// Nil when it is not certain that the server would do the same.
    init?(_ form: UpdateForm) {
        guard add(form) else { return nil }
    }

    /// Both, this one first; nil when that is none.
    func followed(by form: UpdateForm) -> DirectUpdate? {
        var both = self
        return both.add(form) ? both : nil
    }

    /// The same for our own code.
    var form: UpdateForm {
        var update = ModifierUpdate()
        for field in sets { update.edit(field.name, .set(field.value)) }
        for name in removed { update.edit(name, .unset) }
        return .modifiers(update)
    }

    private mutating func add(_ form: UpdateForm) -> Bool {
        let edits: [ModifierUpdate.TopEdit]?
        switch form {
        case .replacement: edits = nil
        case .modifiers(let update): edits = update.topEdits
        case .described(let update): edits = update.topEdits
        case .delta(let update): edits = update.topEdits
        }
        guard let edits, !edits.isEmpty else { return false }
        for edit in edits {
            guard Self.isPlain(edit.name) else { return false }
            switch edit.leaf {
            case .set(let value): guard set(edit.name, value) else { return false }
            case .unset:
                // Of two of one name each takes one.
                guard !removed.contains(edit.name) else { return false }
                sets.removeAll { $0.name == edit.name }
                removed.append(edit.name)
            }
        }
        return size <= Self.longest
    }

    private mutating func set(_ name: [UInt8], _ value: BSONValue) -> Bool {
        guard value.bytes.count <= Self.longestValue, !removed.contains(name),
            Self.isPlain(value, Self.depth)
        else { return false }
        if let place = sets.firstIndex(where: { $0.name == name }) {
            sets[place].value = value
        } else {
            if let last = sets.last, !last.name.lexicographicallyPrecedes(name) { return false }
            sets.append(Field(name: name, value: value))
        }
        return true
    }

    // MARK: what is certain

    /// Whether an `_id` finds its document and no other: no pattern, nothing with names.
    static func isPlainID(_ id: BSONValue) -> Bool {
        switch id.type {
        case .objectID, .string, .int32, .int64, .binary, .date: true
        default: false
        }
    }

    /// Whether the names of an update can name this field.
    private static func isPlain(_ name: [UInt8]) -> Bool {
        guard let first = name.first, !(48...57).contains(first) else { return false }
        return !name.contains(UInt8(ascii: ".")) && !name.contains(UInt8(ascii: "$"))
            && !name.elementsEqual("_id".utf8)
    }

    private static func isPlain(_ value: BSONValue, _ depth: Int) -> Bool {
        switch value.type {
        case .double, .string, .binary, .objectID, .boolean, .date, .null, .int32, .int64, .decimal:
            return true
        case .timestamp: return value.timestamp != .zero
        case .document, .array:
            guard depth > 0 else { return false }
            let fields = BSONDocument(sound: Array(value.bytes)).fields
            return fields.enumerated().allSatisfy { place, field in
                let isNamed =
                    value.type == .array
                    ? field.rawName.elementsEqual(String(place).utf8)
                    : isPlainInside(field.rawName)
                return isNamed && isPlain(field.value, depth - 1)
            }
        default: return false
        }
    }

    private static func isPlainInside(_ name: ArraySlice<UInt8>) -> Bool {
        !name.isEmpty && !name.contains(UInt8(ascii: ".")) && !name.contains(UInt8(ascii: "$"))
    }

    // MARK: as a statement

    /// About, of the statement.
    var size: Int {
        sets.reduce(64) { $0 + $1.name.count + $1.value.bytes.count }
            + removed.reduce(0) { $0 + $1.count }
    }

    /// `{q: {_id}, u: {$set, $unset}}` as an element of `updates`.
    func write(_ place: Int, of id: BSONValue, _ writer: inout BSONWriter) {
        writer.begin(.document, String(place).utf8)
        writer.begin(.document, "q".utf8)
        writer.append("_id", id)
        writer.end()
        writer.begin(.document, "u".utf8)
        if !sets.isEmpty {
            writer.begin(.document, "$set".utf8)
            for field in sets { writer.append(field.name, field.value) }
            writer.end()
        }
        if !removed.isEmpty {
            writer.begin(.document, "$unset".utf8)
            for name in removed { writer.append(name, .bool(true)) }
            writer.end()
        }
        writer.end()
        writer.end()
    }
}
