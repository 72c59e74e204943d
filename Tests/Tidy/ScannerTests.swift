import Testing

/// The checkers themselves: a rule that finds nothing must be one that could.
@Suite struct ScannerTests {
    @Test func `comments and strings are blanked, and nothing moves`() {
        let text = """
            let a = "x // y" // "z"
            let b = 1 /* two /* three */ */ + 4
            let c = #"raw \\(no) ""# + "\\"}"
            let d = "a\\(f("b)") + 1)c" + e
            """
        let stripped = CodeStripper.strip(text)
        #expect(stripped.count == text.count)
        let lines = stripped.split(separator: "\n").map { line in
            line.split(separator: " ").joined(separator: " ")
        }
        #expect(
            lines == [
                "let a = \" \"", "let b = 1 + 4", "let c = \" \" + \" \"", "let d = \" \" + e",
            ])
    }

    @Test func `a text over several lines is blanked`() {
        let text = "let a = \"\"\"\n    try! { \"x\" \\(b) }\n    \"\"\"\nlet c = 1\n"
        let lines = CodeStripper.strip(text).split(separator: "\n")
        #expect(lines[1].allSatisfy { $0 == " " } && lines[3] == "let c = 1")
    }

    @Test func `functions are measured from their first line to their last brace`() {
        let file = SourceFile(
            path: "Sources/Model/A.swift",
            text: """
                protocol P {
                    func a()
                    func b(_ x: Int)
                        throws -> Int
                }
                struct S {
                    init(
                        x: Int, f: (Int) -> Int = { $0 }
                    ) {
                        g { _ in }
                    }
                    func c() -> String { "}" }
                    func d()
                        -> Int
                    {
                        if true { 1 } else { 2 }
                    }
                }
                """)
        let found = FunctionScanner.functions(file)
        #expect(found.map(\.line) == [7, 12, 13])
        #expect(found.map(\.lines) == [5, 1, 5])
    }

    @Test func `long lines and functions are found`() {
        let body = String(repeating: "    f()\n", count: 69)
        let file = SourceFile(
            path: "Sources/Model/A.swift",
            text: "func f() {\n\(body)}\n" + String(repeating: "x", count: 101))
        #expect(FormTests.longFunctions(file).map(\.line) == [1])
        #expect(FormTests.longLines(file).map(\.line) == [72])
    }
}
