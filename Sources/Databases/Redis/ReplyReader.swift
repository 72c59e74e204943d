import CHiredis
import Model

/// hiredis's reply parser and command formatter; the only file that calls hiredis.
///
/// Used on the side connection and for the handshake, where every byte is a RESP2 reply. The stream
/// itself never passes through it.
@safe
struct ReplyReader: ~Copyable {
    private let raw: UnsafeMutablePointer<redisReader>

    /// A reply longer than this is not one that we asked for.
    private static let limit = 64 << 20
    private var fed = 0

    init() {
        guard let reader = unsafe redisReaderCreate() else {
            preconditionFailure("hiredis has no memory for a reader")
        }
        unsafe raw = reader
    }

    deinit { unsafe redisReaderFree(raw) }

    mutating func feed(_ bytes: ArraySlice<UInt8>) throws(TidemarkError) {
        fed += bytes.count
        let status = unsafe bytes.withUnsafeBytes {
            unsafe redisReaderFeed(
                raw, $0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count)
        }
        guard status == REDIS_OK, fed <= Self.limit else {
            throw Self.malformed("it is endless")
        }
    }

    /// The next whole reply; nil when more bytes are needed.
    mutating func next() throws(TidemarkError) -> Reply? {
        var reply: UnsafeMutableRawPointer?
        guard unsafe redisReaderGetReply(raw, &reply) == REDIS_OK else {
            throw Self.malformed(
                unsafe withUnsafeBytes(of: raw.pointee.errstr) {
                    unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
                })
        }
        guard let reply = unsafe reply else { return nil }
        fed = 0
        defer { unsafe freeReplyObject(reply) }
        return unsafe Self.decode(reply.assumingMemoryBound(to: redisReply.self).pointee)
    }

    private static func decode(_ reply: redisReply) -> Reply {
        switch unsafe reply.type {
        case REDIS_REPLY_STATUS: .status(unsafe text(reply))
        case REDIS_REPLY_ERROR: .error(unsafe text(reply))
        case REDIS_REPLY_INTEGER: .integer(unsafe reply.integer)
        case REDIS_REPLY_STRING: .bytes(unsafe bytes(reply))
        case REDIS_REPLY_ARRAY:
            .array(
                unsafe (0..<reply.elements).map { index in
                    guard let element = unsafe reply.element[index] else { return .none }
                    return unsafe decode(element.pointee)
                })
        default: .none
        }
    }

    private static func bytes(_ reply: redisReply) -> [UInt8] {
        guard let start = unsafe reply.str else { return [] }
        return unsafe Array(UnsafeRawBufferPointer(start: start, count: reply.len))
    }

    private static func text(_ reply: redisReply) -> String {
        String(decoding: unsafe bytes(reply), as: UTF8.self)
    }

    private static func malformed(_ what: String) -> TidemarkError {
        TidemarkError(
            .sourceUnreachable, "the answer is not one of Redis: \(what)",
            remedy: "check that the source's url leads to a Redis server, and use rediss:// if it "
                + "speaks TLS")
    }

    /// A command as RESP.
    static func command(_ words: [[UInt8]]) -> [UInt8] {
        var bytes = Array("*\(words.count)\r\n".utf8)
        for word in words {
            bytes += Array("$\(word.count)\r\n".utf8)
            bytes += word
            bytes += [13, 10]
        }
        return bytes
    }
}
