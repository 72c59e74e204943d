/// Writes one document, with nested ones where they come.
package struct BSONWriter {
    private var bytes: [UInt8] = [0, 0, 0, 0]
    /// Where the documents begin that are not ended yet.
    private var open: [Int] = [0]

    package init() {}

    package mutating func append(_ name: String, _ value: BSONValue) {
        append(name.utf8, value)
    }

    /// - Precondition: the name holds no zero byte.
    mutating func append(_ name: some Collection<UInt8>, _ value: BSONValue) {
        header(value.type, name)
        bytes.append(contentsOf: value.bytes)
    }

    /// Begins a nested document or array; `end` ends it.
    mutating func begin(_ type: BSONType, _ name: some Collection<UInt8>) {
        header(type, name)
        open.append(bytes.count)
        bytes.append(contentsOf: [0, 0, 0, 0])
    }

    mutating func end() {
        precondition(open.count > 1, "only what was begun can be ended")
        close()
    }

    /// The document; the writer is done for.
    package mutating func finish() -> BSONDocument {
        precondition(open.count == 1, "a nested document was not ended")
        close()
        return BSONDocument(sound: bytes)
    }

    private mutating func header(_ type: BSONType, _ name: some Collection<UInt8>) {
        bytes.append(type.rawValue)
        bytes.append(contentsOf: name)
        bytes.append(0)
    }

    private mutating func close() {
        bytes.append(0)
        let start = open.removeLast()
        let length = UInt32(bytes.count - start)
        for place in 0..<4 {
            bytes[start + place] = UInt8(truncatingIfNeeded: length >> UInt32(8 * place))
        }
    }
}
