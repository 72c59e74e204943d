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
