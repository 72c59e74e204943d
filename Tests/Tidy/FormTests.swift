import Testing

/// Sizes that a reader can hold in the head.
@Suite struct FormTests {
    private static let columns = 100
    private static let functionLines = 70
    private static let fileLines = 500

    static func longLines(_ file: SourceFile) -> [Finding] {
        file.lines.enumerated().filter { $0.element.count > columns }.map { index, line in
            Finding(
                path: file.path, line: index + 1,
                problem: "\(line.count) columns, at most \(columns)")
        }
    }

    static func longFunctions(_ file: SourceFile) -> [Finding] {
        FunctionScanner.functions(file).filter { $0.lines > functionLines }.map {
            Finding(
                path: file.path, line: $0.line,
                problem: "a function of \($0.lines) lines, at most \(functionLines)")
        }
    }

    @Test func `lines have at most 100 columns`() {
        // Tables of test cases read best one row a line.
        expectNone(SourceTree.sources.flatMap(Self.longLines))
    }

    @Test func `functions have at most 70 lines`() {
        expectNone(SourceTree.swift.flatMap(Self.longFunctions))
    }

    @Test func `files have at most 500 lines`() {
        expectNone(
            SourceTree.swift.filter { $0.lines.count > Self.fileLines + 1 }.map {
                Finding(
                    path: $0.path, line: Self.fileLines,
                    problem: "\($0.lines.count - 1) lines, at most \(Self.fileLines)")
            })
    }

    @Test func `the tree is really being read`() {
        #expect(SourceTree.swift.count > 100)
        #expect(SourceTree.texts.contains { $0.path == "README.md" && $0.lines.count > 20 })
        #expect(SourceTree.texts.contains { $0.path == "Scripts/lib.sh" })
    }
}
