/// An update as servers up to 5.0 write it: `{$v: 1, $set: {path: value}, $unset: {path: true}}`.
///
/// Applied as the server's update tree does (update_object_node.cpp, update_array_node.cpp): fields
/// that exist are changed in place; new ones come behind the others, in the order of their names,
/// where numbers count as numbers; what lacks on the way to a path is made as a document; in an
/// array a number is a place, what lacks before it becomes null, and unsetting makes null. A path
/// through anything else cannot be gone: that edit is left out and counted.
package struct ModifierUpdate: Hashable, Sendable {
    struct Node: Hashable, Sendable {
        enum Leaf: Hashable, Sendable { case set(BSONValue), unset }
        var leaf: Leaf?
        /// An array is cut to this length first.
        var length: Int?
        /// In the order in which new fields are made.
        var children: [(name: [UInt8], node: Node)] = []

        static func == (a: Node, b: Node) -> Bool {
            a.leaf == b.leaf && a.length == b.length
                && a.children.count == b.children.count
                && zip(a.children, b.children).allSatisfy {
                    $0.name == $1.name && $0.node == $1.node
                }
        }

        func hash(into hasher: inout Hasher) {
            hasher.combine(leaf)
            hasher.combine(length)
            for child in children {
                hasher.combine(child.name)
                hasher.combine(child.node)
            }
        }

        /// Whether anything below is set, so that it makes what lacks.
        var sets: Bool {
            if case .set = leaf { return true }
            return children.contains { $0.node.sets }
        }
    }

    private var root = Node()

    /// Changes nothing yet.
    init() {}

    init(_ content: BSONDocument) throws(BSONFailure) {
        for field in content.fields {
            switch field.name {
            case "$v": continue
            case "$set":
                for change in field.value.document?.fields ?? [] {
                    try add(change.rawName, .set(change.value))
                }
            case "$unset":
                for change in field.value.document?.fields ?? [] {
                    try add(change.rawName, .unset)
                }
            default: throw BSONFailure("an update has \(field.name), which is not known", at: 0)
            }
        }
    }

    private mutating func add(
        _ path: ArraySlice<UInt8>, _ leaf: Node.Leaf
    ) throws(BSONFailure) {
        let parts = path.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count <= BSONLimit.depth else {
            throw BSONFailure("a path has \(parts.count) parts", at: 0)
        }
        Self.add(parts.map { Array($0) }[...], leaf, to: &root)
    }

    private static func add(
        _ path: ArraySlice<[UInt8]>, _ leaf: Node.Leaf, to node: inout Node
    ) {
        guard let name = path.first else {
            node.leaf = leaf
            return
        }
        let place = node.children.firstIndex { !precedes($0.name, name) } ?? node.children.count
        if place == node.children.count || node.children[place].name != name {
            node.children.insert((name, Node()), at: place)
        }
        add(path.dropFirst(), leaf, to: &node.children[place].node)
    }

    // MARK: edits in an order of their own

    /// Makes an edit behind those that there are: new fields come in the order of these calls.
    mutating func append(_ path: [[UInt8]], _ leaf: Node.Leaf) throws(BSONFailure) {
        try Self.check(path)
        Self.change(path[...], &root) { $0.leaf = leaf }
    }

    /// Cuts an array.
    mutating func truncate(_ path: [[UInt8]], to length: Int) throws(BSONFailure) {
        try Self.check(path)
        Self.change(path[...], &root) { $0.length = length }
    }

    /// The same of a field at the top.
    mutating func edit(_ name: [UInt8], _ leaf: Node.Leaf) {
        Self.change([name], &root) { $0.leaf = leaf }
    }

    private static func check(_ path: [[UInt8]]) throws(BSONFailure) {
        guard !path.isEmpty, path.count <= BSONLimit.depth else {
            throw BSONFailure("a path has \(path.count) parts", at: 0)
        }
    }

    private static func change(
        _ path: ArraySlice<[UInt8]>, _ node: inout Node, _ edit: (inout Node) -> Void
    ) {
        guard let name = path.first else { return edit(&node) }
        let place = node.children.firstIndex { $0.name == name } ?? node.children.count
        if place == node.children.count { node.children.append((name, Node())) }
        change(path.dropFirst(), &node.children[place].node, edit)
    }

    /// `cmpPathsAndArrayIndexes` in the server's path_support.h.
    private static func precedes(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        if isNumber(a), isNumber(b), a.count != b.count { return a.count < b.count }
        return a.lexicographicallyPrecedes(b)
    }

    static func isNumber(_ name: [UInt8]) -> Bool {
        !name.isEmpty && name.allSatisfy { (48...57).contains($0) }
            && (name.count == 1 || name[0] != 48)
    }

    /// The edits, in the order in which new fields are made; nil when one goes deeper than the top.
    var topEdits: [TopEdit]? {
        var edits: [TopEdit] = []
        for (name, node) in root.children {
            guard let leaf = node.leaf, node.children.isEmpty, node.length == nil else {
                return nil
            }
            edits.append(TopEdit(name: name, leaf: leaf))
        }
        return edits
    }

    /// The document after it.
    func applied(to document: BSONDocument) -> UpdateOutcome {
        var work = ModifierWork()
        var writer = BSONWriter()
        work.object(document.fields, root, &writer)
        return UpdateOutcome(document: writer.finish(), misses: work.misses)
    }
}

extension ModifierUpdate {
    /// An edit of a field at the top.
    struct TopEdit: Hashable, Sendable {
        var name: [UInt8]
        var leaf: Node.Leaf
    }
}

/// A document after an update.
struct UpdateOutcome: Hashable, Sendable {
    var document: BSONDocument
    /// Edits whose path could not be gone: the document is newer or other than the update's.
    var misses: Int
}

/// The walk of one application.
private struct ModifierWork {
    var misses = 0
    /// Nulls before a new place of an array; the server's own limit (`kMaxPaddingAllowed`).
    private static let padding = 1_500_000

    mutating func object(
        _ fields: [BSONDocument.Field], _ node: ModifierUpdate.Node, _ writer: inout BSONWriter
    ) {
        var done = Set<Int>()
        for field in fields {
            let place = node.children.firstIndex { field.rawName.elementsEqual($0.name) }
            if let place, done.insert(place).inserted {
                change(field.rawName, field.value, node.children[place].node, &writer)
            } else {
                writer.append(field.rawName, field.value)
            }
        }
        for (place, child) in node.children.enumerated() where !done.contains(place) {
            make(child.name, child.node, &writer)
        }
    }

    /// Something that exists.
    private mutating func change(
        _ name: some Collection<UInt8>, _ value: BSONValue, _ node: ModifierUpdate.Node,
        _ writer: inout BSONWriter
    ) {
        switch (node.leaf, value.type) {
        case (.set(let new), _): writer.append(name, new)
        case (.unset, _): return
        case (nil, .document):
            writer.begin(.document, name)
            object(BSONDocument(sound: Array(value.bytes)).fields, node, &writer)
            writer.end()
        case (nil, .array):
            writer.begin(.array, name)
            let all = BSONDocument(sound: Array(value.bytes)).fields.map(\.value)
            array(Array(all.prefix(node.length ?? all.count)), node, &writer)
            writer.end()
        case (nil, _):
            if node.sets || node.length != nil { misses += 1 }
            writer.append(name, value)
        }
    }

    /// Something that is not there yet.
    private mutating func make(
        _ name: some Collection<UInt8>, _ node: ModifierUpdate.Node, _ writer: inout BSONWriter
    ) {
        if case .set(let value) = node.leaf {
            writer.append(name, value)
        } else if node.sets {
            writer.begin(.document, name)
            object([], node, &writer)
            writer.end()
        }
    }

    private mutating func array(
        _ values: [BSONValue], _ node: ModifierUpdate.Node, _ writer: inout BSONWriter
    ) {
        var edits: [Int: ModifierUpdate.Node] = [:]
        for child in node.children {
            guard ModifierUpdate.isNumber(child.name),
                let place = Int(String(decoding: child.name, as: UTF8.self)),
                place < values.count + Self.padding
            else {
                if child.node.sets { misses += 1 }
                continue
            }
            edits[place] = child.node
        }
        let last = edits.filter { $0.value.sets }.keys.max() ?? -1
        for place in 0..<max(values.count, last + 1) {
            let name = String(place).utf8
            switch (place < values.count ? values[place] : nil, edits[place]) {
            case (let value?, nil): writer.append(name, value)
            case (_?, let edit?) where edit.leaf == .unset: writer.append(name, .null)
            case (let value?, let edit?): change(name, value, edit, &writer)
            case (nil, let edit?) where edit.sets: make(name, edit, &writer)
            case (nil, _): writer.append(name, .null)
            }
        }
    }
}
