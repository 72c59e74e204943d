import Model
@testable import Redis
import TestKit
import Testing

/// What `find` takes for a destructive command, in whatever pieces the stream is read.
struct CommandEventTests {
    /// Values and keys that look like commands, and commands that only resemble destructive ones.
    private static let harmless: [[String]] = [
        ["SET", "k", "*1\r\n$8\r\nFLUSHALL\r\n"], ["SET", "*1\r\n$7\r\nFLUSHDB\r\n", "v"],
        ["SET", "k", "\r\n*1\r\n$8\r\nFLUSHALL\r\n*3\r\n$6\r\nSWAPDB\r\n$1\r\n0\r\n$1\r\n1\r\n"],
        ["SET", "FLUSHALL", "FLUSHDB"], ["RPUSH", "l", "FLUSHALL", "SWAPDB", "DEL", "UNLINK"],
        ["FLUSHALLX"], ["FUNCTION", "LOAD", "FLUSH"], ["PUBLISH", "FLUSHALL", "FLUSHALL"],
        ["DEL"] + (0..<99).map { "k\($0)" }, ["HDEL"] + (0..<200).map { "f\($0)" },
        ["SET", "k", "file a seq 1 type b\r\n#TS:1\r\n$EOF:\u{0}"],
    ]
    private static let destructive: [([String], String)] = [
        (["flushall"], "FLUSHALL"), (["FlushDb", "ASYNC"], "FLUSHDB"),
        (["SWAPDB", "0", "1"], "SWAPDB"), (["function", "flush"], "FUNCTION FLUSH"),
        (["del"] + (0..<101).map { "k\($0)" }, "DEL of 101 keys"),
        (["UNLINK"] + (0..<100).map { "*1\r\n$8\r\nFLUSHALL\r\n\($0)" }, "UNLINK of 100 keys"),
    ]

    private func found(_ pieces: [[UInt8]]) throws -> [DestructiveEvent] {
        let scan = CommandEventScan(TimelineID("aaaa"))
        scan.index([], state: "4")
        var events: [DestructiveEvent] = []
        var position: UInt64 = 500
        for piece in pieces {
            try scan.take(piece.span.bytes, at: position) { events.append($0) }
            position += UInt64(piece.count)
        }
        return events
    }

    @Test func `values and keys that look like commands are none`() throws {
        let bytes = Self.harmless.flatMap(resp)
        #expect(try found([bytes]).isEmpty)
        #expect(try found(bytes.map { [$0] }).isEmpty)
        for cut in 1..<bytes.count {
            let events = try found([Array(bytes[..<cut]), Array(bytes[cut...])])
            guard events.isEmpty else {
                Issue.record("cut at \(cut): \(events)")
                return
            }
        }
    }

    @Test func `each destructive command is found among them, with the place before it`() throws {
        var bytes: [UInt8] = []
        var expected: [UInt64] = []
        for (words, _) in Self.destructive {
            for harmless in Self.harmless { bytes += resp(harmless) }
            expected.append(500 + UInt64(bytes.count))
            bytes += resp(words)
        }
        // Inside a transaction it is the place before all of it.
        expected.append(500 + UInt64(bytes.count))
        bytes += resp(["MULTI"]) + resp(["SET", "a", "b"]) + resp(["FLUSHDB"]) + resp(["EXEC"])
        for pieces in [[bytes], bytes.map { [$0] }] {
            let events = try found(pieces)
            #expect(events.map(\.action) == Self.destructive.map(\.1) + ["FLUSHDB"])
            #expect(events.map(\.before.ordinal) == expected)
            #expect(
                events.map(\.place).filter { !$0.isEmpty }
                    == Array(repeating: "database 4", count: 4))
        }
    }
}
