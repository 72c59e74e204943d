import Model
@testable import Redis
import TestKit
import Testing

/// What a replica says to the primary that we are for it.
struct ReplicaWordsTests {
    private static let said =
        Array("\n\n".utf8) + resp(["ping"]) + Array("\n".utf8)
        + resp(["REPLCONF", "listening-port", "6379"]) + resp(["PSYNC", "?", "-1"])
        + Array("\n\n\n".utf8) + resp(["REPLCONF", "ACK", "\n"]) + Array("\n".utf8)
        + resp(["REPLCONF", "ACK", "17"]) + Array("\n".utf8)

    private static let commands = [
        ["PING"], ["REPLCONF", "listening-port", "6379"], ["PSYNC", "?", "-1"],
        ["REPLCONF", "ACK", "\n"], ["REPLCONF", "ACK", "17"],
    ]

    private func taken(_ pieces: [[UInt8]]) throws -> [[String]] {
        var words = ReplicaWords()
        var commands: [[String]] = []
        for piece in pieces {
            words.add(piece)
            while let command = try words.next() { commands.append(command) }
        }
        return commands
    }

    @Test func `newlines between commands mean nothing, wherever the bytes are cut`() throws {
        let bytes = Self.said
        #expect(try taken(bytes.map { [$0] }) == Self.commands)
        for cut in 0...bytes.count {
            let commands = try taken([Array(bytes[..<cut]), Array(bytes[cut...])])
            #expect(commands == Self.commands, "cut at \(cut)")
        }
    }

    @Test(arguments: ["+PONG\r\n", "-ERR no\r\n", "\n\nx", "*1\r\n\n", "*0\r\n"])
    func `what no replica says is refused, not waited for`(text: String) {
        var words = ReplicaWords()
        words.add(Array(text.utf8))
        let failure = #expect(throws: TidemarkError.self) { try words.next() }
        #expect(failure?.message.contains("what no replica says") == true)
    }

    @Test func `a command without an end is not kept for ever`() throws {
        var words = ReplicaWords()
        words.add(Array("*2\r\n$1000000\r\n".utf8))
        #expect(try words.next() == nil)
        words.add([UInt8](repeating: 97, count: 70_000))
        #expect(throws: TidemarkError.self) { try words.next() }
    }
}
