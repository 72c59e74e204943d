import Model
@testable import Redis
import TestKit
import Testing

struct StreamFilterTests {
    private static let sample: [[String]] = [
        ["SET", "a", "1"], ["PING"], ["MULTI"], ["SELECT", "3"], ["SET", "b", "MULTI"],
        ["INCR", "c"], ["EXEC"], ["REPLCONF", "GETACK", "*"], ["PUBLISH", "ch", "message"],
        ["SET", "long", String(repeating: "v", count: 700)], ["PING"], ["DEL", "a"],
    ]
    private static let kept: [[String]] = [
        ["SET", "a", "1"], ["SELECT", "3"], ["SET", "b", "MULTI"], ["INCR", "c"],
        ["SET", "long", String(repeating: "v", count: 700)], ["DEL", "a"],
    ]

    private func filtered(_ pieces: [[UInt8]]) throws -> ([UInt8], StreamFilter) {
        var filter = StreamFilter(at: StreamEdge(position: 0, database: 0))
        var out: [UInt8] = []
        for piece in pieces {
            try filter.take(piece.span.bytes) { (bytes) in
                bytes.withUnsafeBytes { out.append(contentsOf: $0) }
            }
        }
        return (out, filter)
    }

    @Test func `what changes nothing is left out, wherever the stream is split`() throws {
        let bytes = Self.sample.flatMap(resp)
        let expected = Self.kept.flatMap(resp)
        for cut in 0...bytes.count {
            let (out, filter) = try filtered([Array(bytes[..<cut]), Array(bytes[cut...])])
            guard out == expected, filter.writtenAtEdge == UInt64(out.count) else {
                Issue.record("cut at \(cut): \(String(decoding: out, as: UTF8.self))")
                return
            }
        }
        let (out, _) = try filtered(bytes.map { [$0] })
        #expect(out == expected)
    }

    @Test func `an open transaction and half a command lie behind the edge`() throws {
        let whole = resp(["SET", "a", "1"])
        let open = whole + resp(["MULTI"]) + resp(["SET", "b", "2"]) + Array("*3\r\n$3\r\nSE".utf8)
        for cut in 0...open.count {
            let (_, filter) = try filtered([Array(open[..<cut]), Array(open[cut...])])
            #expect(filter.writtenAtEdge == UInt64(whole.count))
            #expect(filter.edge.position == UInt64(whole.count))
        }
    }

    /// Its first line tells that no option can follow the value.
    @Test(arguments: ["SET", "set"])
    func `a long value without an expiry is not held while expiries are changed`(
        name: String
    ) throws {
        var filter = StreamFilter(
            at: StreamEdge(position: 0),
            edit: ExpiryEdit(change: .shift(1000), hasRelativeTimes: true))
        let head = Array("*3\r\n$3\r\n\(name)\r\n$1\r\nk\r\n$300000\r\n".utf8)
        let piece = [UInt8](repeating: 10, count: 100_000)
        var written = 0
        for bytes in [head + piece, piece] {
            try filter.take(bytes.span.bytes) { written += $0.byteCount }
        }
        #expect(written == head.count + 200_000)
        // One with an option is, until its time is known.
        let timed = piece + Array("\r\n*5\r\n$3\r\nSET\r\n$1\r\nk\r\n$300000\r\n".utf8)
        try filter.take((timed + piece).span.bytes) { written += $0.byteCount }
        #expect(written == head.count + 300_002)
    }

    @Test func `a long value passes in pieces`() throws {
        let value = [UInt8](repeating: 10, count: 300_000)
        let command = Array("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$300000\r\n".utf8) + value + [13, 10]
        let bytes = resp(["PING"]) + command + resp(["PING"])
        let pieces = stride(from: 0, to: bytes.count, by: 4096).map {
            Array(bytes[$0..<min($0 + 4096, bytes.count)])
        }
        let (out, filter) = try filtered(pieces)
        #expect(out == command)
        #expect(filter.writtenAtEdge == UInt64(command.count))
    }
}
