import Testing

@Suite struct BannedTests {
    private static let words = ["TODO", "FIXME", "XXX:", "HACK"]

    /// Places of the machine that something was written on; nobody else has them.
    private static let machinePaths = ["/work" + "/", "/srv" + "/t/", "/root" + "/"]

    @Test(arguments: BannedConstruct.all.map(\.pattern))
    func `banned constructs are not used`(pattern: String) {
        let rules = BannedConstruct.all.filter { $0.pattern == pattern }
        expectNone(SourceTree.swift.flatMap { file in rules.flatMap { $0.findings(file) } })
    }

    static func uncommentedUnchecked(_ file: SourceFile) -> [Finding] {
        file.code.indices.filter { file.code[$0].contains(": @unchecked Sendable") }.compactMap {
            index in
            let next = file.lines.dropFirst(index + 1).first?.drop { $0 == " " } ?? ""
            let names = next.hasPrefix("//") && next.count > 20
            return names
                ? nil
                : Finding(
                    path: file.path, line: index + 1,
                    problem: "@unchecked Sendable needs a comment on the next line: what guards it")
        }
    }

    @Test func `@unchecked Sendable says what guards it`() {
        expectNone(SourceTree.swift.flatMap(Self.uncommentedUnchecked))
    }

    static func emptyCatches(_ file: SourceFile) -> [Finding] {
        file.code.indices.filter { index in
            let line = file.code[index]
            guard let range = line.ranges(of: "catch").last else { return false }
            let tail = line[range.upperBound...]
            guard let brace = tail.lastIndex(of: "{") else { return tail.contains("{}") }
            let body = tail[tail.index(after: brace)...].drop { $0 == " " }
            if body.hasPrefix("}") { return true }
            // A comment in the raw line says why nothing is done.
            let next = file.lines.dropFirst(index + 1).first?.drop { $0 == " " } ?? ""
            return body.isEmpty && next.hasPrefix("}")
        }.map {
            Finding(path: file.path, line: $0 + 1, problem: "an error is dropped without a word")
        }
    }

    @Test func `no error is dropped without a word`() {
        expectNone(SourceTree.swift.flatMap(Self.emptyCatches))
    }

    @Test func `nothing is left for later`() {
        let own = SourceTree.texts.filter { !$0.path.hasPrefix("Tests/Tidy/") }
        expectNone(own.flatMap { $0.mentions(Self.words, "left for later") })
    }

    @Test func `no path of one machine is written down`() {
        expectNone(
            SourceTree.texts.flatMap { $0.mentions(Self.machinePaths, "a machine's own path") })
    }

    @Test func `what is banned is found, and only in code`() {
        let file = SourceFile(
            path: "Sources/Model/A.swift",
            text: """
                let a = try! f()
                // try! in a comment, and "try!" here:
                let b = "try! \\(try! g()) print(x)"
                sprint(x); print(x)
                final class C: @unchecked Sendable {
                    // @unchecked: `x` is touched only while `mutex` is held.
                }
                final class D: @unchecked Sendable {
                }
                do { try f() } catch {}
                do { try f() } catch {
                    // Nobody reads it any more.
                }
                do { try f() } catch let error where x {
                }
                """)
        let lines = BannedConstruct.all.flatMap { $0.findings(file) }.map(\.line)
        #expect(lines == [1, 4])
        #expect(Self.uncommentedUnchecked(file).map(\.line) == [8])
        #expect(Self.emptyCatches(file).map(\.line) == [10, 14])
    }
}
