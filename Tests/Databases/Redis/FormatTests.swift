import Model
@testable import Redis
import Testing

struct FormatTests {
    @Test func `the checksum is Redis's own`() {
        // The check value in crc64.c.
        var crc = CRC64()
        crc.update(Array("123456789".utf8).span.bytes)
        #expect(crc.value == 0xe9c6_d914_c4b8_d9ca)
        let text = Array("a text that is longer than a few words of eight bytes".utf8)
        var whole = CRC64()
        whole.update(text.span.bytes)
        for cut in 0...text.count {
            var parts = CRC64()
            let (one, two) = (Array(text[..<cut]), Array(text[cut...]))
            parts.update(one.span.bytes)
            parts.update(two.span.bytes)
            #expect(parts == whole)
        }
    }

    @Test func `compressed strings are taken apart, damaged ones refused`() {
        // "aaaaaaaaaa" and then "bcabc": a literal, an overlapping reference, literals, a
        // reference.
        let packed: [UInt8] = [0, 97, 0xe0, 0, 0, 4, 98, 99, 97, 98, 99]
        #expect(LZF.decompress(packed, length: 15) == Array("aaaaaaaaaabcabc".utf8))
        for cut in 0..<packed.count {
            #expect(LZF.decompress(Array(packed[..<cut]), length: 15) == nil)
        }
        #expect(LZF.decompress([0x20, 5], length: 3) == nil)
        #expect(LZF.decompress(packed, length: 14) == nil)
    }

    @Test func `an RDB's header is read in every form of string`() throws {
        let id = String(repeating: "0", count: 40)
        var bytes = Array("REDIS0010".utf8)
        bytes += [0xfa, 9] + Array("redis-ver".utf8) + [6] + Array("7.0.15".utf8)
        bytes += [0xfa, 10] + Array("redis-bits".utf8) + [0xc0, 64]
        bytes += [0xfa, 11] + Array("repl-offset".utf8) + [0xc2, 0x15, 0xcd, 0x5b, 0x07]
        bytes += [0xfa, 14] + Array("repl-stream-db".utf8) + [0xc1, 0xff, 0xff]
        // Forty zeros as LZF: one literal, a reference of 39 bytes at distance 1.
        bytes += [0xfa, 7] + Array("repl-id".utf8) + [0xc3, 5, 40, 0, 48, 0xe0, 30, 0]
        bytes += [0xfe]
        let preamble = try #require(try RDBPreamble(bytes))
        #expect(preamble.version == 10)
        #expect(preamble.fields["redis-bits"] == "64")
        #expect(preamble.fields["repl-offset"] == "123456789")
        #expect(preamble.fields["repl-stream-db"] == "-1")
        #expect(preamble.fields["repl-id"] == id)
        for cut in 0..<bytes.count { #expect(try RDBPreamble(Array(bytes[..<cut])) == nil) }
        #expect(throws: TidemarkError.self) { try RDBPreamble(Array("REDISxx10".utf8)) }
    }

    @Test func `names of segments and positions`() {
        let style = OffsetPositionStyle()
        let id = TimelineID("a1b2")
        let range = PositionRange(timeline: id, first: 14, last: 16_777_230)
        let name = "00000000000000000014-00000000000016777230.resp"
        #expect(style.segmentName(range) == name)
        #expect(style.parseSegmentName(name, timeline: id) == range)
        for bad in ["", "14-15.resp", name + ".lz4", "x" + name.dropFirst(), "a1b2.history"] {
            #expect(style.parseSegmentName(bad, timeline: id) == nil)
        }
        #expect(style.parse("a1b2:77") == 77)
        #expect(style.parse("77") == 77)
        #expect(style.parse("a1b2:") == nil)
        #expect(style.parse("7x") == nil)
    }

    @Test func `a history document grows by its parent`() throws {
        let first = Position(timeline: TimelineID("a"), ordinal: 10)
        let second = Position(timeline: TimelineID("b"), ordinal: 20)
        let one = try HistoryDocument(leaving: first, older: nil)
        let two = try HistoryDocument(leaving: second, older: one.bytes)
        #expect(try HistoryDocument(parsing: two.bytes).ancestors == [first, second])
        let ancestors = try RedisReplayer().ancestors(
            of: TimelineID("c"), [HistoryDocument.name(TimelineID("c")): two.bytes])
        #expect(ancestors.map(\.end) == [10, 20])
        #expect(throws: TidemarkError.self) { try HistoryDocument(parsing: Array("a b\n".utf8)) }
    }

    @Test(arguments: [
        ("redis://cache", RedisConfiguration.Endpoint.tcp(host: "cache", port: 6379), "", ""),
        ("redis://:s%40c@cache:7000/3", .tcp(host: "cache", port: 7000), "", "s@c"),
        ("rediss://arch:p%3Aw@[::1]:6380", .tcp(host: "::1", port: 6380), "arch", "p:w"),
        ("redis+unix:///run/redis/a.sock", .unix(path: "/run/redis/a.sock"), "", ""),
        ("redis+unix://:pw@/run/a.sock", .unix(path: "/run/a.sock"), "", "pw"),
    ])
    func `urls`(
        _ url: String, _ endpoint: RedisConfiguration.Endpoint, _ user: String, _ password: String
    ) throws {
        let configuration = try RedisConfiguration(source: testSource, url: url)
        #expect(configuration.endpoint == endpoint)
        #expect(configuration.user == user)
        #expect(configuration.password == password)
        #expect(configuration.isEncrypted == url.hasPrefix("rediss"))
        #expect(password.isEmpty || !"\(configuration)".contains(password))
    }

    @Test(arguments: [
        "redis", "http://x", "redis://h:0", "redis://h:99999", "redis://u@h", "redis://h?x=1",
        "redis://:%zz@h", "redis+unix://x", "redis://[::1",
    ])
    func `malformed urls are refused without being shown`(_ url: String) {
        let failure = #expect(throws: TidemarkError.self) {
            try RedisConfiguration(source: testSource, url: url)
        }
        #expect(failure?.code == .configuration)
        #expect(failure.map { !$0.description.contains("%zz") } == true)
    }
}
