import Testing

/// Something in the tree that is not as it should be.
struct Finding: Hashable, CustomStringConvertible {
    var path: String
    var line: Int
    var problem: String

    var description: String { "\(path):\(line): \(problem)" }
}

/// Fails with one line per finding.
func expectNone(
    _ findings: [Finding], sourceLocation: SourceLocation = #_sourceLocation
) {
    let list = findings.map { "\n  \($0)" }.joined()
    #expect(findings.isEmpty, "\(findings.count) to mend:\(list)", sourceLocation: sourceLocation)
}
