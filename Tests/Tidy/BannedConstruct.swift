/// Something that code must not do, where, and what to do instead.
struct BannedConstruct {
    /// Found in code only; comments and strings may speak of it.
    var pattern: String
    var instead: String
    /// Paths that start with one of these may use it.
    var exceptions: [String] = []
    /// In tests too.
    var coversTests = true

    static let all = [
        BannedConstruct(pattern: "try!", instead: "let the error out"),
        BannedConstruct(pattern: "as!", instead: "check the type, or state it"),
        BannedConstruct(
            pattern: "fatalError()", instead: "say what is broken: precondition(…, \"…\")"),
        BannedConstruct(pattern: "fatalError(\"\")", instead: "say what is broken"),
        BannedConstruct(
            pattern: "print(", instead: "a result goes through Output, everything else to the log",
            coversTests: false),
        BannedConstruct(pattern: "debugPrint(", instead: "remove it"),
        BannedConstruct(
            pattern: "exit(", instead: "ProcessEnd.now: exit handlers race with other threads",
            exceptions: ["Sources/Platform/ProcessEnd.swift", "Sources/TestKit/"],
            coversTests: false),
        BannedConstruct(pattern: "Date()", instead: "take the time from a TimeSource"),
        BannedConstruct(pattern: "Task.sleep", instead: "wait for the condition, with a limit"),
        BannedConstruct(pattern: "Task.detached", instead: "structured concurrency"),
        BannedConstruct(
            pattern: "Task {", instead: "structured concurrency", exceptions: ["Sources/Daemon/"]),
        BannedConstruct(pattern: "usleep(", instead: "wait for the condition, with a limit"),
        BannedConstruct(pattern: " sleep(", instead: "wait for the condition, with a limit"),
        BannedConstruct(pattern: "(sleep(", instead: "wait for the condition, with a limit"),
        BannedConstruct(pattern: "nonisolated(unsafe)", instead: "guard it by a Monitor or Mutex"),
        BannedConstruct(pattern: "public ", instead: "package"),
        BannedConstruct(pattern: "Process()", instead: "Platform's Subprocess"),
        BannedConstruct(pattern: "DispatchQueue", instead: "DedicatedThread"),
        BannedConstruct(pattern: ".disabled(", instead: "mend the test or remove it"),
        BannedConstruct(pattern: "withKnownIssue", instead: "mend it"),
    ]

    func findings(_ file: SourceFile) -> [Finding] {
        guard coversTests || file.path.hasPrefix("Sources/"),
            !exceptions.contains(where: { file.path.hasPrefix($0) }), file.mentions(pattern)
        else { return [] }
        return file.findings("\(pattern.trimmed) is not used here: \(instead)", where: isIn)
    }

    /// A pattern that starts with a letter must not continue a word: `asyncPrint(` is not `print(`.
    private func isIn(_ line: Substring) -> Bool {
        line.ranges(of: pattern).contains { range in
            guard pattern.first?.isLetter == true, range.lowerBound > line.startIndex else {
                return true
            }
            let before = line[line.index(before: range.lowerBound)]
            return !(before.isLetter || before.isNumber || before == "_")
        }
    }
}

extension String {
    fileprivate var trimmed: Substring { drop { $0 == " " || $0 == "(" } }
}
