import Redis
import TestKit
import Testing

struct CommandSplitterTests {
    private static let sample: [[String]] = [
        ["SELECT", "3"], ["set", "k", "v"], ["MULTI"], ["INCR", "c"], ["select", "12"],
        ["DEL", "a", "b", "c"], ["EXEC"], ["ping"], ["REPLCONF", "GETACK", "*"],
        ["SET", "bin", "a\u{0}b\r\n*3\r\n$EOF:0123456789#TS:1\r\n"], ["FLUSHALL"],
        ["FLUSHDB", "ASYNC"],
        ["SWAPDB", "0", "1"], ["FUNCTION", "FLUSH"], ["FUNCTION", "LOAD", "x"], ["SET", "", ""],
        ["UNLINK", "z"], ["PUBLISH", "c", "m"], ["SELECT", "0"],
        ["SET", "long", String(repeating: "x", count: 12_345)],
    ]

    /// Everything that can be seen of a splitter after each command.
    private struct Seen: Equatable {
        var command: StreamCommand
        var edge: StreamEdge
        var database: Int
    }

    private func split(
        _ bytes: [UInt8], pieces: [Range<Int>]
    ) throws(SplitFailure) -> (seen: [Seen], end: CommandSplitter) {
        var splitter = CommandSplitter(at: StreamEdge(position: 1000))
        var seen: [Seen] = []
        for piece in pieces {
            let span = bytes.span.extracting(piece)
            var cursor = 0
            while try splitter.next(span, &cursor) {
                seen.append(
                    Seen(
                        command: splitter.command, edge: splitter.edge,
                        database: splitter.database))
            }
        }
        return (seen, splitter)
    }

    @Test func `a stream split at every byte gives the same commands`() throws {
        let bytes = Self.sample.flatMap(resp)
        let whole = try split(bytes, pieces: [0..<bytes.count])
        #expect(whole.seen.count == Self.sample.count)
        for cut in 0...bytes.count {
            let parts = try split(bytes, pieces: [0..<cut, cut..<bytes.count])
            guard parts.seen == whole.seen else {
                Issue.record("split at \(cut)")
                return
            }
        }
        let single = try split(bytes, pieces: bytes.indices.map { $0..<$0 + 1 })
        #expect(single.seen == whole.seen)
        #expect(single.end.position == 1000 + UInt64(bytes.count))
        #expect(single.end.isBetweenCommands)
    }

    @Test func `kinds, databases and edges are found`() throws {
        let bytes = Self.sample.flatMap(resp)
        let seen = try split(bytes, pieces: [0..<bytes.count]).seen
        #expect(
            seen.map(\.command.kind) == [
                .select, .other, .multi, .other, .select, .delete, .exec, .ping, .getAck, .other,
                .flushAll, .flushDatabase, .swapDatabases, .flushFunctions, .other, .other,
                .unlink, .publish, .select, .other,
            ])
        #expect(seen[0].database == 3)
        #expect(seen[4].database == 12)
        #expect(seen[6].edge == StreamEdge(position: seen[6].command.last, database: 12))
        #expect(seen[19].database == 0)
        for index in 2...5 { #expect(seen[index].edge == seen[1].edge) }
        #expect(seen[5].command.argumentCount == 4)
        #expect(seen[0].command.first == 1000)
        for (one, next) in zip(seen, seen.dropFirst()) {
            #expect(one.command.last == next.command.first)
        }
    }

    @Test func `a million arguments are one command`() throws {
        let words = ["DEL"] + (0..<1_000_000).map { "k\($0)" }
        let bytes = resp(words)
        let pieces = stride(from: 0, to: bytes.count, by: 65_537).map {
            $0..<min($0 + 65_537, bytes.count)
        }
        let seen = try split(bytes, pieces: pieces).seen
        #expect(seen.count == 1)
        #expect(seen[0].command.argumentCount == 1_000_001)
        #expect(seen[0].command.kind == .delete)
    }

    @Test func `a value of 512 MB passes through without being held`() throws {
        var splitter = CommandSplitter(at: StreamEdge(position: 0))
        var scan = StreamScan()
        let piece = [UInt8](repeating: 13, count: 1 << 20)
        try splitter.scan(
            Array("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$536870912\r\n".utf8).span, into: &scan)
        for _ in 0..<512 { try splitter.scan(piece.span, into: &scan) }
        #expect(scan.commands == 0)
        try splitter.scan(Array("\r\n*1\r\n$4\r\nPING\r\n".utf8).span, into: &scan)
        #expect(scan.commands == 2)
        #expect(splitter.command.kind == .ping)
        #expect(splitter.command.last == splitter.position)
    }

    @Test(arguments: [
        ("+OK\r\n", 0), ("-NOPERM x\r\n", 0), ("\n", 0), ("*0\r\n", 3), ("*-1\r\n", 1),
        ("*1\r\n:4\r\n", 4), ("*1\r\n$-1\r\n", 5), ("*1\r\n$3x", 6), ("*1\r\n$\r\n", 5),
        ("*99999999999\r\n", 10), ("*1\r\n$9999999999999999999999\r\n", 17),
        ("*1\r\n$1\r\nab\r\n", 9), ("*1\r\r\n", 3), ("*1\r\n$1\r\na\rb", 10),
    ])
    func `what is no stream is refused at its byte`(_ text: String, _ place: Int) throws {
        let good = resp(["SET", "a", "b"])
        let bytes = good + Array(text.utf8)
        for cut in [0, good.count, good.count + 1, bytes.count] {
            let failure = #expect(throws: SplitFailure.self) {
                try split(bytes, pieces: [0..<cut, cut..<bytes.count])
            }
            #expect(failure?.position == 1000 + UInt64(good.count + place))
        }
    }

    @Test func `random bytes never trap and never run past the end`() {
        var random = SystemRandomNumberGenerator()
        let alphabet = Array("*$0123456789\r\n\r\nSETPING".utf8)
        for _ in 0..<20_000 {
            let bytes = (0..<Int.random(in: 1...60, using: &random)).map { _ in
                alphabet.randomElement(using: &random)!
            }
            var splitter = CommandSplitter(at: StreamEdge(position: 0))
            var scan = StreamScan()
            do throws(SplitFailure) {
                try splitter.scan(bytes.span, into: &scan)
                #expect(splitter.position == UInt64(bytes.count))
            } catch {
                #expect(error.position < UInt64(bytes.count))
            }
        }
    }
}
