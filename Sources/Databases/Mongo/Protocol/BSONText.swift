// Documents as people read them, for messages: relaxed extended JSON, more or less, cut short.
extension BSONDocument {
    /// - Parameter limit: characters, about.
    package func text(limit: Int = 2000) -> String {
        var text = ""
        write(self, isArray: false, limit, to: &text)
        return text.count > limit ? text.prefix(limit) + "…" : text
    }

    private func write(_ document: BSONDocument, isArray: Bool, _ limit: Int, to text: inout String)
    {
        text += isArray ? "[" : "{"
        for (index, field) in document.fields.enumerated() {
            if text.utf8.count > limit { break }
            if index > 0 { text += ", " }
            if !isArray { text += field.name + ": " }
            write(field.value, limit, to: &text)
        }
        text += isArray ? "]" : "}"
    }

    private func write(_ value: BSONValue, _ limit: Int, to text: inout String) {
        switch value.type {
        case .document, .array:
            write(
                BSONDocument(sound: Array(value.bytes)), isArray: value.type == .array, limit,
                to: &text)
        case .string: text += "\"\(String((value.string ?? "").prefix(limit)))\""
        case .int32, .int64: text += String(value.integer ?? 0)
        case .double: text += value.doubleText
        case .boolean: text += value.isTrue ? "true" : "false"
        case .null: text += "null"
        case .timestamp: text += "Timestamp(\(value.timestamp ?? .zero))"
        case .date: text += "Date(\(value.date ?? 0))"
        case .objectID: text += "ObjectId(\(Self.hex(value.bytes)))"
        case .binary:
            if let uuid = value.uuid {
                text += "UUID(\(uuid))"
            } else {
                text += "Binary(\(value.binary?.content.count ?? 0) bytes)"
            }
        default: text += "\(value.type)(\(Self.hex(value.bytes.prefix(40))))"
        }
    }

    private static func hex(_ bytes: ArraySlice<UInt8>) -> String {
        bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
}
