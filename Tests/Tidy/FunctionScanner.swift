/// Finds functions and how long they are, by their braces.
enum FunctionScanner {
    struct Function: Hashable {
        var line: Int
        var lines: Int
    }

    /// From the line of `func` or `init` to the line of the closing brace.
    static func functions(_ file: SourceFile) -> [Function] {
        var found: [Function] = []
        for (index, line) in file.code.enumerated() where isStart(line) {
            guard let end = end(file.code[index...]) else { continue }
            found.append(Function(line: index + 1, lines: end - index + 1))
        }
        return found
    }

    private static func isStart(_ line: Substring) -> Bool {
        let words = line.split { !($0.isLetter || $0.isNumber || $0 == "_" || $0 == "@") }
        if words.contains("func") || words.first == "deinit" { return true }
        let before: Set<Substring> = [
            "package", "public", "private", "fileprivate", "internal", "convenience", "required",
            "override", "nonisolated", "consuming", "mutating",
        ]
        return words.first { !before.contains($0) } == "init"
    }

    /// The line on which the first brace opened is closed; nil for a declaration without body, which
    /// ends where the next declaration or a closing brace begins.
    private static func end(_ lines: ArraySlice<Substring>) -> Int? {
        var depth = 0
        var parentheses = 0
        var hasOpened = false
        for (index, line) in zip(lines.indices, lines) {
            for character in line {
                switch character {
                case "(": parentheses += 1
                case ")": parentheses -= 1
                case "{" where parentheses == 0 || hasOpened:
                    depth += 1
                    hasOpened = true
                case "}" where parentheses == 0 || hasOpened:
                    depth -= 1
                    if !hasOpened { return nil }
                default: break
                }
                if hasOpened, depth == 0 { return index }
            }
            // A protocol's requirement ends with its line, unless the next one goes on with it.
            if !hasOpened, parentheses == 0, index + 1 < lines.endIndex {
                let next = lines[index + 1].drop { $0 == " " }
                let goesOn = ["{", "throws", "async", "->", "where"].contains { next.hasPrefix($0) }
                if !line.hasSuffix("->"), !goesOn { return nil }
            }
        }
        return nil
    }
}
