import Model
import TestKit
import Testing

@testable import Redis

/// Stretches that begin before anything selected a database.
struct ExportedCommandsTests {
    private static func export(_ commands: [[UInt8]]) throws(TidemarkError) -> String {
        let bytes = commands.flatMap { $0 }
        let zero = CommitTime(microseconds: 0)
        let stretch = ExportedCommands(
            StreamExportOrder(
                descriptor: SourceDescriptor(
                    source: SourceID("cache")!, kind: .redis, identity: "aaaa",
                    majorVersion: "7.0", segmentBytes: 1 << 24, created: zero),
                timeline: TimelineID("aaaa"), first: 100, last: 100 + UInt64(bytes.count),
                state: ""))
        stretch.index([], state: nil)
        var written: [UInt8] = []
        // In pieces: a command may end in any.
        for start in stride(from: 0, to: bytes.count, by: 7) {
            let piece = Array(bytes[start..<min(start + 7, bytes.count)])
            try stretch.take(piece.span.bytes, at: 100 + UInt64(start)) { kept in
                for index in 0..<kept.byteCount {
                    written.append(unsafe kept.unsafeLoad(fromByteOffset: index, as: UInt8.self))
                }
            }
        }
        let length = try stretch.finish()
        return String(decoding: written.prefix(Int(length)), as: UTF8.self)
    }

    @Test func `what changes nothing before the first SELECT is passed by`() throws {
        let select = resp(["SELECT", "3"])
        let text = try Self.export([resp(["PING"]), select, resp(["SET", "a", "1"])])
        #expect(text == String(decoding: select + resp(["SET", "a", "1"]), as: UTF8.self))
    }

    @Test func `data before it is refused, with the nearest place behind it`() throws {
        let lead = [resp(["SET", "a", "1"]), resp(["SELECT", "3"])]
        let error = try #require(throws: TidemarkError.self) {
            try Self.export(lead + [resp(["SET", "b", "1"])])
        }
        #expect(error.code.exitStatus == 3)
        let place = 100 + lead.joined().count
        #expect(error.remedy.contains("--from offset:\(place)"), "\(error)")
        let none = try #require(throws: TidemarkError.self) { try Self.export([lead[0]]) }
        #expect(none.code.exitStatus == 3 && !none.remedy.contains("nearest"), "\(none)")
    }
}
