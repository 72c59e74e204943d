/// A restore point in the oplog: the note that `mark` writes (`appendOplogNote`).
///
/// ```
/// {op: "n", ns: "", o: {tidemark: "restore point", name: "before the migration"}, …}
/// ```
enum RestorePointNote {
    private static let key = "tidemark"
    private static let kind = "restore point"

    /// The note's content.
    static func content(_ name: String) -> BSONDocument {
        BSONDocument([(key, .string(kind)), ("name", .string(name))])
    }

    /// The name of the restore point that an entry is; nil for all others.
    static func name(in entry: Span<UInt8>) throws(BSONFailure) -> String? {
        var walker = try BSONWalker(entry)
        while let element = try walker.next(entry) {
            guard element.type == .document, entry.holds("o", at: element.name) else { continue }
            var copy: [UInt8] = []
            for place in element.value { copy.append(entry[place]) }
            // A short note; what else is said by no-ops is passed over by its first field.
            let note = try BSONDocument(copy)
            return name(in: note)
        }
        return nil
    }

    static func name(in note: BSONDocument) -> String? {
        note[key]?.string == kind ? note["name"]?.string : nil
    }
}
