/// One whole command taken apart into its words, and put together again.
struct CommandWords: Sendable {
    var words: [ArraySlice<UInt8>]

    /// - Precondition: `bytes` is one command that a splitter has found whole.
    init(_ bytes: [UInt8]) {
        words = []
        var cursor = 1
        let count = Self.number(bytes, &cursor)
        words.reserveCapacity(count)
        for _ in 0..<count {
            // Behind the dollar sign.
            cursor += 1
            let length = Self.number(bytes, &cursor)
            words.append(bytes[cursor..<cursor + length])
            cursor += length + 2
        }
    }

    /// A number and its line end.
    private static func number(_ bytes: [UInt8], _ cursor: inout Int) -> Int {
        var value = 0
        while bytes[cursor] != 13 {
            value = value * 10 + Int(bytes[cursor] - UInt8(ascii: "0"))
            cursor += 1
        }
        cursor += 2
        return value
    }

    /// As RESP.
    var bytes: [UInt8] {
        var bytes = Array("*\(words.count)\r\n".utf8)
        for word in words {
            bytes += "$\(word.count)\r\n".utf8
            bytes += word
            bytes += [13, 10]
        }
        return bytes
    }

    /// A word in upper case; empty when there is none.
    func upper(_ index: Int) -> String {
        guard index < words.count, words[index].count <= 16 else { return "" }
        return String(decoding: words[index], as: UTF8.self).uppercased()
    }

    /// A word as a number; nil when it is none.
    func number(_ index: Int) -> Int64? {
        guard index < words.count, words[index].count <= 20 else { return nil }
        return Int64(String(decoding: words[index], as: UTF8.self))
    }

    mutating func set(_ index: Int, _ text: String) { words[index] = Self.word(text) }

    mutating func insert(_ text: String, at index: Int) {
        words.insert(Self.word(text), at: index)
    }

    static func word(_ text: String) -> ArraySlice<UInt8> { Array(text.utf8)[...] }
}
