import FoundationEssentials
package import Model

/// The JSON documents of the archive: sorted keys, readable, one newline at the end; those that are
/// a `ChecksummedDocument` begin with the checksum of all that.
package enum JSONDocument {
    package static func encode(_ value: some Encodable) throws(TidemarkError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        do {
            let bytes = [UInt8](try encoder.encode(value)) + [UInt8(ascii: "\n")]
            return value is any ChecksummedDocument ? DocumentChecksum.add(to: bytes) : bytes
        } catch {
            throw TidemarkError(.failed, "cannot write \(type(of: value)) as JSON", cause: error)
        }
    }

    /// The same in one line, without its end, for who reads many of them.
    package static func line(_ value: some Encodable) throws(TidemarkError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return [UInt8](try encoder.encode(value))
        } catch {
            throw TidemarkError(.failed, "cannot write \(type(of: value)) as JSON", cause: error)
        }
    }

    /// Throws `archiveDamaged` naming `key` when the bytes are not the document they should be.
    package static func decode<T: Decodable>(
        _ type: T.Type, _ bytes: [UInt8], of key: ObjectKey
    ) throws(TidemarkError) -> T {
        if type is any ChecksummedDocument.Type, let problem = DocumentChecksum.problem(bytes) {
            throw damaged(key, problem)
        }
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch let error as DecodingError {
            throw damaged(key, words(error))
        } catch {
            throw damaged(key, "it is not JSON")
        }
    }

    private static func damaged(_ key: ObjectKey, _ what: String) -> TidemarkError {
        TidemarkError(
            .archiveDamaged, "\(key) in the archive is damaged: \(what)",
            remedy: "restore this file from a copy of the archive")
    }

    /// What a decoder met, without its own vocabulary.
    private static func words(_ error: DecodingError) -> String {
        switch error {
        case .keyNotFound(let key, let context):
            return "it has no \(place(context.codingPath + [key]))"
        case .valueNotFound(_, let context), .typeMismatch(_, let context):
            let place = place(context.codingPath)
            return place.isEmpty
                ? "it holds something else" : "its \(place) is not of the right kind"
        case .dataCorrupted(let context):
            let place = place(context.codingPath)
            return place.isEmpty ? "it is not JSON" : "its \(place) makes no sense"
        @unknown default: return "it holds something else"
        }
    }

    private static func place(_ path: [any CodingKey]) -> String {
        path.map(\.stringValue).joined(separator: ".")
    }
}
