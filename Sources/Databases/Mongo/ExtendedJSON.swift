import CMongoC
package import Model

/// MongoDB Extended JSON, as mongodump's `.metadata.json` has it: libbson reads and writes it.
package enum ExtendedJSON {
    /// The document that a text stands for.
    package static func parse(
        _ text: [UInt8], _ what: String
    ) throws(TidemarkError) -> BSONDocument {
        var failure = bson_error_t()
        let parsed = unsafe text.withUnsafeBufferPointer { buffer in
            unsafe bson_new_from_json(buffer.baseAddress, buffer.count, &failure)
        }
        guard let parsed = unsafe parsed else {
            throw TidemarkError(
                .archiveDamaged, "\(what) is no extended JSON: \(failure.text)",
                remedy: "run `tidemark verify --deep`")
        }
        defer { unsafe bson_destroy(parsed) }
        return unsafe CDocument.copy(parsed)
    }

    /// Canonical: every number says its type.
    static func text(_ document: BSONDocument) -> String {
        unsafe CDocument.with(document) { bson in
            var length = 0
            guard let text = unsafe bson_as_canonical_extended_json(bson, &length) else {
                preconditionFailure("libbson cannot write a sound document as JSON")
            }
            defer { unsafe bson_free(text) }
            return unsafe String(cString: text)
        }
    }
}
