import Model
import Repository

/// The documents of `--json`: keys in alphabetical order, so that outputs can be compared as text.
enum JSONText {
    static func encode(_ value: some Encodable) throws(TidemarkError) -> String {
        String(decoding: try JSONDocument.encode(value), as: UTF8.self)
    }
}
