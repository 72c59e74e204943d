/// Looks at every byte of a document's structure, nested ones included.
enum BSONCheck {
    /// Throws unless `bytes` from `start` on begin with one whole, sound document; returns its end.
    @discardableResult
    static func document(
        _ bytes: Span<UInt8>, at start: Int = 0, depth: Int = 0
    ) throws(BSONFailure) -> Int {
        guard depth <= BSONLimit.depth else {
            throw BSONFailure("documents are nested deeper than \(BSONLimit.depth)", at: start)
        }
        var walker = try BSONWalker(bytes, at: start)
        while let element = try walker.next(bytes) {
            switch element.type {
            case .document, .array:
                try nested(bytes, element.value, depth)
            case .scopedCode:
                try scopedCode(bytes, element.value, depth)
            case .boolean:
                guard bytes[element.value.lowerBound] <= 1 else {
                    throw BSONFailure("a boolean is neither 0 nor 1", at: element.value.lowerBound)
                }
            default: break
            }
        }
        return walker.end + 1
    }

    private static func nested(
        _ bytes: Span<UInt8>, _ value: Range<Int>, _ depth: Int
    ) throws(BSONFailure) {
        let end = try document(bytes, at: value.lowerBound, depth: depth + 1)
        guard end == value.upperBound else {
            throw BSONFailure("a nested document does not fill its place", at: end)
        }
    }

    /// length(4), a string, a document.
    private static func scopedCode(
        _ bytes: Span<UInt8>, _ value: Range<Int>, _ depth: Int
    ) throws(BSONFailure) {
        let text = value.lowerBound + 4
        let length = Int(bytes.int32(at: text))
        guard length >= 1, length <= value.upperBound - text - 9,
            bytes[text + 4 + length - 1] == 0
        else { throw BSONFailure("code with a scope has no sound string", at: text) }
        try nested(bytes, text + 4 + length..<value.upperBound, depth)
    }
}
