import Testing

@Suite struct DocumentationTests {
    private static let types = ["struct", "class", "enum", "actor", "protocol", "typealias"]

    /// What a declaration says by itself, or inherits from its protocol.
    private static let plain = [
        "description", "debugDescription", "customMirror", "encode", "hash", "rawValue", "run",
        "unownedExecutor",
    ]

    /// Package declarations of types and functions without a `///` above them.
    static func undocumented(_ file: SourceFile) -> [Finding] {
        file.code.indices.compactMap { index in
            let words = file.code[index].split { " (:<{=,@".contains($0) }
            guard words.contains("package"), !words.contains("import"), let name = declared(words),
                !isDocumented(file, index), !inherits(file, index)
            else { return nil }
            return Finding(path: file.path, line: index + 1, problem: "\(name) needs a /// line")
        }
    }

    private static func declared(_ words: [Substring]) -> Substring? {
        for (word, name) in zip(words, words.dropFirst()) {
            if types.contains(String(word)), !["func", "var"].contains(name) { return name }
            let isOperator = name.first.map { !($0.isLetter || $0 == "_" || $0 == "`") } ?? true
            if word == "func", !isOperator, !plain.contains(String(name)) { return name }
        }
        return nil
    }

    /// Attributes may stand between the comment and the declaration.
    private static func isDocumented(_ file: SourceFile, _ index: Int) -> Bool {
        for line in file.lines[..<index].reversed() {
            let text = line.drop { $0 == " " }
            if text.hasPrefix("///") { return true }
            if !text.hasPrefix("@") { return false }
        }
        return false
    }

    /// A function of a type that conforms to a protocol is documented there: roles are contracts.
    private static func inherits(_ file: SourceFile, _ index: Int) -> Bool {
        guard file.code[index].contains("func ") else { return false }
        let indent = file.lines[index].prefix { $0 == " " }.count
        guard indent > 0 else { return false }
        for line in file.code[..<index].reversed() where !line.isEmpty {
            let depth = line.prefix { $0 == " " }.count
            guard depth < indent, line.contains("{") || line.hasSuffix(":") else { continue }
            return line.contains(":") && !line.contains("protocol ")
        }
        return false
    }

    /// Share of a target's package functions that may speak for themselves, like `Layout.points`.
    private static let plainShare = 0.4

    /// A type inside another may be plain by its name and place: `SegmentListing.State`.
    @Test func `package types are documented`() {
        expectNone(
            SourceTree.sources.flatMap { file in
                Self.undocumented(file).filter { finding in
                    finding.problem.first!.isUppercase
                        && !file.lines[finding.line - 1].hasPrefix(" ")
                }
            })
    }

    @Test func `most package functions are documented`() {
        let targets = Dictionary(grouping: SourceTree.sources) { $0.path.split(separator: "/")[1] }
        for (target, files) in targets where target != "TestKit" {
            let missing = files.flatMap(Self.undocumented).filter {
                !$0.problem.first!.isUppercase
            }
            let lines: [Substring] = files.flatMap(\.code)
            let all = lines.count { $0.contains("package ") && $0.contains("func ") }
            let isFine = Double(missing.count) <= Double(all) * Self.plainShare
            let list = missing.map { "\n  \($0)" }.joined()
            #expect(isFine, "\(target): \(missing.count) of \(all) functions:\(list)")
        }
    }

    @Test func `every file of Sources starts with its imports or a comment`() {
        expectNone(
            SourceTree.sources.filter { $0.lines.first?.isEmpty ?? true }.map {
                Finding(path: $0.path, line: 1, problem: "starts with an empty line")
            })
    }

    @Test func `what is not documented is found`() {
        let file = SourceFile(
            path: "Sources/Model/A.swift",
            text: """
                package struct A {
                    package func go() {}
                    /// Good.
                    @inlinable
                    package func stay() {}
                    package var description: String { "" }
                }
                /// Good.
                package struct B: Role {
                    package func go() {}
                }
                """)
        #expect(Self.undocumented(file).map(\.line) == [1, 2])
    }
}
