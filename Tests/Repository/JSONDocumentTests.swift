import Crypto
import Model
import Testing

@testable import Repository

struct JSONDocumentTests {
    private let key = ObjectKey("ledger/source.json")

    @Test func `a document is readable text with sorted keys and one newline at its end`() throws {
        let bytes = try JSONDocument.encode(SmallArchive.descriptor)
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(text.hasSuffix("}\n"))
        #expect(!text.hasSuffix("\n\n"))
        let created = try #require(text.firstRange(of: "\"created\""))
        let source = try #require(text.firstRange(of: "\"source\""))
        #expect(created.lowerBound < source.lowerBound)
        #expect(text.contains("\"segment_bytes\" : 65536"))
        let back = try JSONDocument.decode(SourceDescriptor.self, bytes, of: key)
        #expect(back == SmallArchive.descriptor)
    }

    @Test func `every flipped bit of a checksummed document is damage`() throws {
        let mark = SmallArchive.descriptor
        let bytes = try JSONDocument.encode(mark)
        for place in bytes.indices {
            for bit in [0, 1, 4] {
                var flipped = bytes
                flipped[place] ^= UInt8(1 << bit)
                let error = #expect(throws: TidemarkError.self) {
                    try JSONDocument.decode(SourceDescriptor.self, flipped, of: key)
                }
                #expect(error?.code == .archiveDamaged)
            }
        }
    }

    @Test func `the checksum is the SHA-256 of the file with zeros in its place`() throws {
        let text = String(decoding: try JSONDocument.encode(SmallArchive.descriptor), as: UTF8.self)
        let lines = text.split(separator: "\n")
        #expect(lines[1].hasPrefix("  \"checksum\" : \""))
        let value = String(lines[1].dropFirst(16).prefix(64))
        let zeros = String(repeating: "0", count: 64)
        var bytes = Array(text.utf8)
        bytes.replaceSubrange(18..<82, with: Array(zeros.utf8))
        let sum = SHA256.hash(data: bytes).map { byte in
            (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
        #expect(sum.joined() == value)
    }

    @Test func `damage is told in plain words`() {
        for (text, words) in [
            ("{}", "does not begin with a checksum"), ("[]", "does not begin with a checksum"),
        ] {
            let error = #expect(throws: TidemarkError.self) {
                try JSONDocument.decode(SourceDescriptor.self, Array(text.utf8), of: key)
            }
            #expect(error?.message.contains(words) == true)
        }
        for (text, words) in [
            ("{", "it is not JSON"), ("{\"format\":1}", "it has no archive"),
            ("{\"format\":\"1\"}", "its format is not of the right kind"),
        ] {
            let error = #expect(throws: TidemarkError.self) {
                try JSONDocument.decode(ArchiveMarker.self, Array(text.utf8), of: Layout.marker)
            }
            #expect(error?.message.contains(words) == true, "\(error?.description ?? "")")
            #expect(error?.description.contains("Decoding") == false)
        }
    }

    @Test func `the same value always gives the same bytes`() throws {
        let facts = ServerFacts(
            identity: "1", version: "150020",
            settings: Dictionary(uniqueKeysWithValues: (0..<50).map { ("setting\($0)", "\($0)") }))
        #expect(try JSONDocument.encode(facts) == JSONDocument.encode(facts))
    }

    @Test func `a document cut anywhere is damage that names the file`() throws {
        let bytes = try JSONDocument.encode(SmallArchive.descriptor)
        for count in 0..<(bytes.count - 2) {
            let error = #expect(throws: TidemarkError.self) {
                try JSONDocument.decode(
                    SourceDescriptor.self, Array(bytes.prefix(count)), of: key)
            }
            #expect(error?.code == .archiveDamaged)
            #expect(error?.message.contains("ledger/source.json") == true)
        }
    }

    @Test(arguments: [
        "{\"source\":\"-bad\"}", "[]", "null", "{\"source\":\"a\",\"kind\":\"oracle\"}",
    ])
    func `a document of the wrong content is damage`(_ text: String) {
        let error = #expect(throws: TidemarkError.self) {
            try JSONDocument.decode(SourceDescriptor.self, Array(text.utf8), of: key)
        }
        #expect(error?.code == .archiveDamaged)
    }
}
