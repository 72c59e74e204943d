/// `database.collection`; the collection's name may hold dots, the database's may not.
package struct Namespace: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let database: String
    package let collection: String

    package init(_ database: String, _ collection: String) {
        self.database = database
        self.collection = collection
    }

    /// Nil without a dot between two names.
    package init?(_ text: String) {
        guard let dot = text.firstIndex(of: "."), dot != text.startIndex else { return nil }
        let rest = text[text.index(after: dot)...]
        guard !rest.isEmpty else { return nil }
        self.init(String(text[..<dot]), String(rest))
    }

    package var description: String { "\(database).\(collection)" }

    package static func < (a: Namespace, b: Namespace) -> Bool {
        (a.database, a.collection) < (b.database, b.collection)
    }
}
