/// Collects the server's warnings; bounded, the first ones are kept.
final class NoticeLog {
    private static let limit = 200
    private var lines: [String] = []

    func add(_ line: String) {
        if lines.count < Self.limit { lines.append(line) }
    }

    func take() -> [String] {
        defer { lines = [] }
        return lines
    }
}
