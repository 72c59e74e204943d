import FoundationEssentials
package import Model

/// The JSON documents of the archive: sorted keys, readable, one newline at the end.
package enum JSONDocument {
    package static func encode(_ value: some Encodable) throws(TidemarkError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        do {
            return [UInt8](try encoder.encode(value)) + [UInt8(ascii: "\n")]
        } catch {
            throw TidemarkError(.failed, "cannot write \(type(of: value)) as JSON", cause: error)
        }
    }

    /// Throws `archiveDamaged` naming `key` when the bytes are not the document they should be.
    package static func decode<T: Decodable>(
        _ type: T.Type, _ bytes: [UInt8], of key: ObjectKey
    ) throws(TidemarkError) -> T {
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch {
            throw TidemarkError(
                .archiveDamaged, "\(key) in the archive is not readable",
                remedy: "restore this file from a copy of the archive", cause: error)
        }
    }
}
