/// Takes apart what a replica sends to its primary: commands as arrays of short words.
struct ReplicaWords: Sendable {
    private var bytes: [UInt8] = []

    mutating func add(_ more: [UInt8]) { bytes += more }

    /// The next whole command, names in upper case; nil while more bytes are needed.
    mutating func next() -> [String]? {
        var splitter = CommandSplitter(at: StreamEdge(position: 0))
        var cursor = 0
        // Bytes that are no command never become one; the connection is then given up by time.
        guard let isWhole = try? splitter.next(bytes.span, &cursor), isWhole else { return nil }
        let words = CommandWords(Array(bytes[..<cursor])).words.map {
            String(decoding: $0, as: UTF8.self)
        }
        bytes.removeFirst(cursor)
        return [words[0].uppercased()] + words.dropFirst()
    }
}
