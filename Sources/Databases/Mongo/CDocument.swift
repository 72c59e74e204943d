import CMongoC

/// Documents on their way to and from libbson.
enum CDocument {
    /// A copy of what libbson holds; it checks the structure of what it makes itself.
    static func copy(_ bson: OpaquePointer) -> BSONDocument {
        guard let data = unsafe bson_get_data(bson) else {
            preconditionFailure("a libbson document has bytes")
        }
        let head = unsafe UnsafeBufferPointer(start: data, count: 4)
        let length =
            unsafe Int(head[0]) | Int(head[1]) << 8 | Int(head[2]) << 16 | Int(head[3]) << 24
        return unsafe BSONDocument(
            sound: Array(UnsafeBufferPointer(start: data, count: length)))
    }

    /// Lends a document to libbson for the call.
    static func with<R, E: Error>(
        _ document: BSONDocument, _ body: (OpaquePointer) throws(E) -> R
    ) throws(E) -> R {
        let made = unsafe document.bytes.withUnsafeBufferPointer { bytes in
            unsafe bson_new_from_data(bytes.baseAddress, bytes.count)
        }
        guard let bson = unsafe made else {
            preconditionFailure("a sound document is one for libbson too")
        }
        defer { unsafe bson_destroy(bson) }
        return try unsafe body(bson)
    }
}

extension bson_error_t {
    /// libbson's own words.
    var text: String {
        unsafe withUnsafeBytes(of: message) { bytes in
            unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }
}
