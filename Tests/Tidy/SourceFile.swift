/// A text file of the project, by lines.
struct SourceFile {
    /// Relative to the project, `Sources/Model/Position.swift`.
    let path: String
    /// As they stand, without newlines.
    let lines: [Substring]
    /// Swift only: the same lines with comments and the content of strings blanked out.
    let code: [Substring]

    init(path: String, text: String) {
        self.path = path
        lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        code =
            path.hasSuffix(".swift")
            ? CodeStripper.strip(text).split(separator: "\n", omittingEmptySubsequences: false) : []
    }

    var name: Substring { path.split(separator: "/").last ?? "" }
    var isSwift: Bool { path.hasSuffix(".swift") }

    /// A finding at each line of code that `isWrong`.
    func findings(_ problem: String, where isWrong: (Substring) -> Bool) -> [Finding] {
        code.indices.filter { isWrong(code[$0]) }.map {
            Finding(path: path, line: $0 + 1, problem: problem)
        }
    }
}
