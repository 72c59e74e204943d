/// `database.collection`; the collection's name may hold dots, the database's may not.
///
/// Names are bytes, as for the server: `é` as one letter and as `e` with an accent behind it are
/// two collections, though Swift takes such strings for equal.
package struct Namespace: Sendable, CustomStringConvertible {
    package let database: String
    package let collection: String

    package init(_ database: String, _ collection: String) {
        self.database = database
        self.collection = collection
    }

    /// Nil without a dot between two names.
    package init?(_ text: String) {
        guard let dot = text.utf8.firstIndex(of: UInt8(ascii: ".")), dot != text.startIndex else {
            return nil
        }
        let rest = text[text.utf8.index(after: dot)...]
        guard !rest.isEmpty else { return nil }
        self.init(String(text[..<dot]), String(rest))
    }

    package var description: String { "\(database).\(collection)" }

    func isOf(_ database: String) -> Bool { self.database.utf8.elementsEqual(database.utf8) }
}

extension Namespace: Hashable {
    // The hash of a string is the same for all that Swift takes for equal, so it serves as it is.
    package static func == (a: Namespace, b: Namespace) -> Bool {
        a.collection.utf8.elementsEqual(b.collection.utf8) && a.isOf(b.database)
    }
}

extension Namespace: Comparable {
    package static func < (a: Namespace, b: Namespace) -> Bool {
        a.isOf(b.database)
            ? a.collection.utf8.lexicographicallyPrecedes(b.collection.utf8)
            : a.database.utf8.lexicographicallyPrecedes(b.database.utf8)
    }
}

extension String {
    /// As the server sees it: a sign that joins the last one of `prefix` is a letter of its own.
    func begins(with prefix: String) -> Bool { utf8.starts(with: prefix.utf8) }
}
