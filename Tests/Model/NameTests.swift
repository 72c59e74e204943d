import FoundationEssentials
import Model
import Testing

/// Source names, timelines, object keys.
@Suite struct NameTests {
    @Test(arguments: ["a", "0", "ledger", "eu-west_1", String(repeating: "x", count: 63)])
    func `a source name is short and plain`(_ name: String) throws {
        let id = try #require(SourceID(name))
        #expect(id.description == name)
        let json = try JSONEncoder().encode([id])
        #expect(try JSONDecoder().decode([SourceID].self, from: json) == [id])
    }

    @Test(arguments: [
        "", "A", "-a", "_a", "a b", "a/b", "..", "a.b", "ü", "a\u{301}", "a\n",
        String(repeating: "x", count: 64),
    ])
    func `other names are refused, in JSON too`(_ name: String) throws {
        #expect(SourceID(name) == nil)
        let json = try JSONEncoder().encode([name])
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode([SourceID].self, from: json)
        }
    }

    @Test func `timelines sort by number where they are numbers`() {
        let names = ["10", "9", "2", "1"].map { TimelineID($0) }
        #expect(names.sorted().map(\.name) == ["1", "2", "9", "10"])
        #expect([TimelineID("b"), TimelineID("a")].sorted().map(\.name) == ["a", "b"])
    }

    @Test func `a timeline is a plain text in JSON`() throws {
        let json = try JSONEncoder().encode([TimelineID("1")])
        #expect(String(decoding: json, as: UTF8.self) == "[\"1\"]")
        #expect(try JSONDecoder().decode([TimelineID].self, from: json) == [TimelineID("1")])
    }

    @Test func `an object key has segments`() {
        let key = ObjectKey("ledger/wal") / "1" / "A.lz4"
        #expect(key.path == "ledger/wal/1/A.lz4")
        #expect(key.name == "A.lz4")
        #expect(ObjectKey("x").name == "x")
        #expect(ObjectKey("a/b") < ObjectKey("a/c"))
    }

    @Test(arguments: ["", "/a", "a/", "a//b", ".", "..", "a/../b", "a/./b"])
    func `a key that leaves the repository stops the program`(_ path: String) async {
        await #expect(processExitsWith: .failure) { [path] in _ = ObjectKey(path) }
    }
}
