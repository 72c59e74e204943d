import Testing

@testable import Daemon

@Suite struct SuggestionTests {
    private let known = ["repository", "sources", "flush", "backup", "retention", "rpo", "url"]

    @Test(arguments: [
        ("flsh", "flush"), ("bakcup", "backup"), ("Sources", "sources"), ("source", "sources"),
        ("retension", "retention"), ("repo", "rpo"), ("ulr", "url"), ("repositroy", "repository"),
    ])
    func `a near word is found`(word: String, meant: String) {
        #expect(Suggestion.nearest(to: word, among: known) == meant)
    }

    @Test(arguments: ["zebra", "", "x", "configuration"])
    func `a far one is not`(word: String) {
        #expect(Suggestion.nearest(to: word, among: known) == nil)
    }

    @Test func `distances`() {
        #expect(Suggestion.distance("", "abc") == 3)
        #expect(Suggestion.distance("abc", "abc") == 0)
        #expect(Suggestion.distance("abcd", "acbd") == 1)
        #expect(Suggestion.distance("kitten", "sitting") == 3)
    }
}
