/// An update as change streams tell it: `{updatedFields: {path: value}, removedFields: [path],
/// truncatedArrays: [{field: path, newSize: n}], disambiguatedPaths: {path: [part, …]}}`.
///
/// Arrays are cut before their elements are set (change_stream_document_diff_parser.h). New fields
/// come behind the others in the order in which they are told. Where `disambiguatedPaths` (6.1)
/// does not say more, a dot parts two names and a number is a place of an array or a name of a
/// document, whichever is there.
package struct DescribedUpdate: Hashable, Sendable {
    private let update: ModifierUpdate

    init(_ description: BSONDocument) throws(BSONFailure) {
        var update = ModifierUpdate()
        let exact = description["disambiguatedPaths"]?.document
        let parts = { (path: ArraySlice<UInt8>) -> [[UInt8]] in
            if let told = exact?.fields.first(where: { $0.rawName == path })?.value.elements {
                return told.map { part in
                    part.string.map { Array($0.utf8) } ?? Array(String(part.integer ?? 0).utf8)
                }
            }
            return path.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
                .map { Array($0) }
        }
        for cut in (description["truncatedArrays"]?.elements ?? []).compactMap(\.document) {
            guard let field = cut["field"]?.string, let size = cut["newSize"]?.integer, size >= 0
            else { throw BSONFailure("a truncated array has no field or no size", at: 0) }
            try update.truncate(parts(Array(field.utf8)[...]), to: Int(size))
        }
        for field in description["updatedFields"]?.document?.fields ?? [] {
            try update.append(parts(field.rawName), .set(field.value))
        }
        for path in description["removedFields"]?.elements ?? [] {
            guard let path = path.string else {
                throw BSONFailure("a removed field has no name", at: 0)
            }
            try update.append(parts(Array(path.utf8)[...]), .unset)
        }
        self.update = update
    }

    /// See `ModifierUpdate.topEdits`.
    var topEdits: [ModifierUpdate.TopEdit]? { update.topEdits }

    /// The document after it.
    func applied(to document: BSONDocument) -> UpdateOutcome { update.applied(to: document) }
}
