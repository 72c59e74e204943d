import Model
import Storage
import TestKit
import Testing

@Suite struct FolderURLTests {
    @Test(arguments: [
        ("file:///var/lib/tidemark", "/var/lib/tidemark"), ("file:///a/", "/a"),
        ("FILE:///a//b", "/a/b"), ("file://localhost/a", "/a"), ("file:/a/b", "/a/b"),
        ("file:///a%20b/%C3%BC", "/a b/ü"), ("file:///100%25", "/100%"), ("file:///a b", "/a b"),
    ])
    func `a file URL names an absolute folder`(_ text: String, _ path: String) throws {
        let url = try FolderURL(text)
        #expect(url.path == path)
        #expect(try FolderURL(url.description) == url)
    }

    @Test(arguments: [
        ("file://var/lib", "three slashes"), ("file:relative", "three slashes"),
        ("file://", "three slashes"), ("file:", "three slashes"), ("file:////a", "three slashes"),
        ("file:///", "file:///var/lib/tidemark"), ("file:///a/../b", "without them"),
        ("file:///a/./b", "without them"), ("file:///a%2", "%25"), ("file:///a%zz", "%25"),
        ("file:///a%+1", "%25"), ("file:///a%00b", "%25"), ("file:///a%ff", "%25"),
        ("file:///a?b", "%3F"), ("file:///a#b", "%23"), ("/var/lib/x", "file:///var/lib/x"),
        ("var/lib", "file:///absolute/path"), ("", "file:///absolute/path"),
        ("://x", "file:///absolute/path"), ("s4://bucket/x", "file:///absolute/path"),
        ("https://example.org", "file:///absolute/path"),
    ])
    func `anything else is a configuration error that says what to write`(
        _ text: String, _ words: String
    ) throws {
        let error = #expect(throws: TidemarkError.self) { try FolderURL(text) }
        #expect(error?.code == .configuration)
        #expect(error?.remedy.contains(words) == true, "\(error?.description ?? "")")
    }

    @Test func `of a URL with an unknown scheme nothing but the scheme is repeated`() {
        let error = #expect(throws: TidemarkError.self) { try FolderURL("ftp://me:secret@host/x") }
        #expect(error?.description.contains("secret") == false)
    }

    @Test(arguments: 0..<50)
    func `printing and parsing any path gives it back`(_ seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let alphabet = Array("aZ09 %?#\"<>\\^`{|}~:@&=+$,;!*'()[]-_üß漢\u{1}\u{7f}")
        let path = (0..<Int.random(in: 1...4, using: &random)).map { _ in
            let length = Int.random(in: 1...12, using: &random)
            return "/x" + String((0..<length).map { _ in alphabet.randomElement(using: &random)! })
        }.joined()
        let url = FolderURL(path: path)
        #expect(try FolderURL(url.description) == url, "seed \(seed)")
    }

    @Test func `opening gives the store of that folder`() async throws {
        try await offPool {
            let scratch = try ScratchDirectory()
            let url = try FolderURL("file://\(scratch.path)/a%20b")
            #expect(throws: TidemarkError.self) { try url.open(createRoot: false) }
            let store = try url.open(createRoot: true)
            try store.put(ObjectKey("k"), [1], .create)
            #expect(store.url == "file://\(scratch.path)/a%20b")
            #expect(try url.open(createRoot: false).size(ObjectKey("k")) == 1)
        }
    }
}
