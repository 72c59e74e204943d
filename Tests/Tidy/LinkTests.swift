import Testing

@Suite struct LinkTests {
    /// `[text](target)` of one Markdown file, code spans left out.
    static func links(_ file: SourceFile) -> [(line: Int, target: String)] {
        file.lines.enumerated().flatMap { index, line -> [(Int, String)] in
            line.split(separator: "](").dropFirst().compactMap { part in
                guard let end = part.firstIndex(of: ")") else { return nil }
                return (index + 1, String(part[..<end]))
            }
        }
    }

    /// A path relative to the file, with `..` taken away.
    private static func resolve(_ target: String, from file: SourceFile) -> String {
        var parts = file.path.split(separator: "/").dropLast()
        for part in target.split(separator: "/") where part != "." {
            if part == ".." { parts = parts.dropLast() } else { parts.append(part) }
        }
        return parts.joined(separator: "/")
    }

    @Test func `links inside the project lead somewhere`() {
        let documents = SourceTree.texts.filter { $0.path.hasSuffix(".md") }
        #expect(documents.count >= 4)
        expectNone(
            documents.flatMap { file in
                Self.links(file).compactMap { line, target in
                    let path = String(target.split(separator: "#", maxSplits: 1).first ?? "")
                    let isOutside = target.contains("://") || target.hasPrefix("mailto:")
                    if isOutside || target.hasPrefix("#") || path.isEmpty { return nil }
                    if SourceTree.exists(Self.resolve(path, from: file)) { return nil }
                    return Finding(path: file.path, line: line, problem: "\(target) does not exist")
                }
            })
    }

    @Test func `links are found`() {
        let file = SourceFile(path: "a/b.md", text: "see [x](../c.md#d) and [y](https://z)\n")
        #expect(Self.links(file).map(\.target) == ["../c.md#d", "https://z"])
        #expect(Self.resolve("../c.md", from: file) == "c.md")
    }
}
