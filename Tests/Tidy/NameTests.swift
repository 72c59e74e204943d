import Testing

/// A file is named for what it declares, so that everything is found by its name.
@Suite struct NameTests {
    private static let keywords = [
        "struct", "class", "enum", "actor", "protocol", "typealias", "extension", "func", "let",
    ]

    static func misnamed(_ file: SourceFile) -> [Finding] {
        let base = file.name.split(separator: ".").first?.split(separator: "+").first ?? ""
        let declared = file.code.flatMap { line -> [Substring] in
            let words = line.split { !($0.isLetter || $0.isNumber || $0 == "_" || $0 == ".") }
            return zip(words, words.dropFirst()).filter { keywords.contains(String($0.0)) }
                .flatMap { $0.1.split(separator: ".") }
        }
        // `Inspect.swift` of a room holds `PostgresInspector`; a file of several small types that
        // share their first word bears that word.
        let word = base.prefix(1) + base.dropFirst().prefix { !$0.isUppercase }
        if declared.contains(where: { $0.contains(base) || $0.hasPrefix(word) }) { return [] }
        if file.code.contains(where: { $0.lowercased().contains(base.lowercased()) }) { return [] }
        return [Finding(path: file.path, line: 1, problem: "declares nothing called \(base)")]
    }

    @Test func `a file is named for what it declares`() {
        expectNone(
            SourceTree.sources.filter { !$0.path.hasPrefix("Sources/TestKit/") }
                .flatMap(Self.misnamed))
    }

    @Test func `no two files of a target have the same name`() {
        var seen: [String: String] = [:]
        var findings: [Finding] = []
        for file in SourceTree.sources {
            let parts = file.path.split(separator: "/")
            let target = parts[1] == "Databases" ? parts[2] : parts[1]
            if let other = seen.updateValue(file.path, forKey: "\(target)/\(file.name)") {
                findings.append(
                    Finding(path: file.path, line: 1, problem: "\(other) has this name"))
            }
        }
        expectNone(findings)
    }

    @Test func `no stand-in of a folder is left`() {
        expectNone(
            SourceTree.swift.filter {
                $0.path.hasSuffix("/Target.swift") || $0.path.hasSuffix("/Suite.swift")
            }.map { Finding(path: $0.path, line: 1, problem: "a stand-in; put real files here") })
    }

    @Test func `a misnamed file is found`() {
        let text = "extension Gap.Reason {}\nprivate struct Other {}\n"
        #expect(Self.misnamed(SourceFile(path: "Sources/Model/Gap.swift", text: text)).isEmpty)
        #expect(Self.misnamed(SourceFile(path: "Sources/Model/Gap+X.swift", text: text)).isEmpty)
        #expect(Self.misnamed(SourceFile(path: "Sources/Model/Hole.swift", text: text)).count == 1)
    }
}
