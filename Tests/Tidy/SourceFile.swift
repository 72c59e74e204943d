import Glibc

/// A text file of the project, by lines.
struct SourceFile {
    /// Relative to the project, `Sources/Model/Position.swift`.
    let path: String
    /// As they stand, without newlines.
    let lines: [Substring]
    /// Swift only: the same lines with comments and the content of strings blanked out.
    let code: [Substring]

    /// Ends in a zero, for strstr.
    private let bytes: [CChar]

    init(path: String, text: String) {
        self.path = path
        bytes = text.utf8CString.map { $0 }
        lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        code =
            path.hasSuffix(".swift")
            ? CodeStripper.strip(text).split(separator: "\n", omittingEmptySubsequences: false) : []
    }

    /// Whether the text stands anywhere, comments and strings included. Much faster than looking
    /// line by line.
    func mentions(_ text: String) -> Bool {
        bytes.withUnsafeBufferPointer { strstr($0.baseAddress!, text) != nil }
    }

    /// A finding at each line, code or not, that holds one of the texts.
    func mentions(_ texts: [String], _ problem: String) -> [Finding] {
        let present = texts.filter(mentions)
        guard !present.isEmpty else { return [] }
        return lines.indices.filter { index in present.contains { lines[index].contains($0) } }
            .map { Finding(path: path, line: $0 + 1, problem: problem) }
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
