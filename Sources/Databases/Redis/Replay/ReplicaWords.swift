import Model

/// Takes apart what a replica sends to its primary: commands as arrays of short words, and bare
/// newlines between them.
///
/// With a newline a second a replica that flushes its keys or loads an RDB shows that it lives
/// (`replication.c`, `replicationSendNewlineToMaster`); they mean nothing else.
struct ReplicaWords: Sendable {
    /// More than any command of a replica.
    private static let limit = 64 << 10
    private static let newline: UInt8 = 10

    private var bytes: [UInt8] = []

    mutating func add(_ more: [UInt8]) { bytes += more }

    /// The next whole command, names in upper case; nil while more bytes are needed.
    mutating func next() throws(TidemarkError) -> [String]? {
        if bytes.first == Self.newline { bytes = Array(bytes.drop { $0 == Self.newline }) }
        var splitter = CommandSplitter(at: StreamEdge(position: 0))
        var cursor = 0
        let isWhole: Bool
        do throws(SplitFailure) {
            isWhole = try splitter.next(bytes.span, &cursor)
        } catch {
            throw Self.strange(bytes)
        }
        guard isWhole else {
            guard bytes.count < Self.limit else { throw Self.strange(bytes) }
            return nil
        }
        let words = CommandWords(Array(bytes[..<cursor])).words.map {
            String(decoding: $0, as: UTF8.self)
        }
        bytes.removeFirst(cursor)
        return [words[0].uppercased()] + words.dropFirst()
    }

    private static func strange(_ bytes: [UInt8]) -> TidemarkError {
        let text = String(decoding: bytes.prefix(80), as: UTF8.self).filter { !$0.isNewline }
        return TidemarkError(
            .failed, "the server that is being filled said what no replica says: \(text)",
            remedy: "see its log, and check what stands between: a proxy may answer in its place")
    }
}
