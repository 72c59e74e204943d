import HTTPTypes
import Hummingbird
import Model
import NIOCore
import Repository

/// The shapes of answers.
enum Answers {
    /// A document in the same form as the command line's `--json`.
    static func json(
        _ value: some Encodable, _ status: HTTPResponse.Status = .ok
    ) -> Response {
        do {
            return bytes(
                try JSONDocument.encode(value), "application/json; charset=utf-8", status)
        } catch {
            return problem(.internalServerError, error.message)
        }
    }

    static func bytes(
        _ bytes: [UInt8], _ type: String, _ status: HTTPResponse.Status = .ok
    ) -> Response {
        buffer(ByteBuffer(bytes: bytes), type, status)
    }

    static func buffer(
        _ buffer: ByteBuffer, _ type: String, _ status: HTTPResponse.Status = .ok
    ) -> Response {
        Response(
            status: status, headers: [.contentType: type], body: ResponseBody(byteBuffer: buffer))
    }

    /// `{"problem": "…"}`
    static func problem(_ status: HTTPResponse.Status, _ sentence: String) -> Response {
        json(["problem": sentence], status)
    }
}
