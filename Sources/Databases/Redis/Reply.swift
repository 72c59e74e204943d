/// A server's answer to a command, RESP2.
package enum Reply: Hashable, Sendable {
    case status(String)
    /// With its code word: `NOPERM this user has no permissions …`.
    case error(String)
    case integer(Int64)
    case bytes([UInt8])
    case array([Reply])
    case none

    /// A status or string; nil for anything else.
    package var text: String? {
        switch self {
        case .status(let text): text
        case .bytes(let bytes): String(decoding: bytes, as: UTF8.self)
        case .error, .integer, .array, .none: nil
        }
    }

    package var elements: [Reply] {
        if case .array(let elements) = self { elements } else { [] }
    }
}
