/// A whole, sound document: its bytes, as the server wrote them.
package struct BSONDocument: Hashable, Sendable {
    package let bytes: [UInt8]

    package struct Field: Hashable, Sendable {
        /// Bytes of the name: they are copied as they are, whatever they mean.
        var rawName: ArraySlice<UInt8>
        package var value: BSONValue

        package var name: String { String(decoding: rawName, as: UTF8.self) }
    }

    package static let empty = BSONDocument(sound: [5, 0, 0, 0, 0])

    /// Checks everything.
    package init(_ bytes: [UInt8]) throws(BSONFailure) {
        let end = try BSONCheck.document(bytes.span)
        guard end == bytes.count else { throw BSONFailure("something follows a document", at: end) }
        self.bytes = bytes
    }

    /// Bytes that are known to be sound, since they were checked as part of another document or
    /// written by `BSONWriter`.
    init(sound bytes: [UInt8]) { self.bytes = bytes }

    /// Made of fields in this order.
    package init(_ fields: [(String, BSONValue)]) {
        var writer = BSONWriter()
        for (name, value) in fields { writer.append(name, value) }
        self = writer.finish()
    }

    /// In the order of the document; names may occur twice.
    package var fields: [Field] {
        var fields: [Field] = []
        forEach { element in
            fields.append(
                Field(
                    rawName: bytes[element.name],
                    value: BSONValue(element.type, bytes[element.value])))
        }
        return fields
    }

    /// The first field of this name.
    package subscript(_ name: String) -> BSONValue? {
        let wanted = name.utf8
        return first {
            $0.name.count == wanted.count && bytes[$0.name].elementsEqual(wanted)
        }.map { BSONValue($0.type, bytes[$0.value]) }
    }

    package var isEmpty: Bool { bytes.count == 5 }

    /// The name of the first field, which tells what a command is.
    package var firstName: String? {
        first { _ in true }.map { String(decoding: bytes[$0.name], as: UTF8.self) }
    }

    private func forEach(_ body: (BSONElement) -> Void) {
        _ = first {
            body($0)
            return false
        }
    }

    private func first(where isIt: (BSONElement) -> Bool) -> BSONElement? {
        do {
            var walker = try BSONWalker(bytes.span)
            while let element = try walker.next(bytes.span) {
                if isIt(element) { return element }
            }
            return nil
        } catch {
            preconditionFailure("a document was checked when it was made: \(error)")
        }
    }

    /// Without the fields of these names.
    package func without(_ names: Set<String>) -> BSONDocument {
        var writer = BSONWriter()
        for field in fields where !names.contains(field.name) {
            writer.append(field.rawName, field.value)
        }
        return writer.finish()
    }

    /// With this value in the place of the field, or behind the last one.
    package func setting(_ name: String, _ value: BSONValue) -> BSONDocument {
        var writer = BSONWriter()
        var isSet = false
        for field in fields {
            let isIt = !isSet && field.name == name
            writer.append(field.rawName, isIt ? value : field.value)
            isSet = isSet || isIt
        }
        if !isSet { writer.append(name, value) }
        return writer.finish()
    }
}
