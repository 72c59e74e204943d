/// The rows of one answer as the server wrote them, in text format.
struct ConnectionRows: Sendable, Equatable {
    /// Row by row, column by column; nil is SQL's NULL.
    let cells: [[[UInt8]?]]

    init(cells: [[[UInt8]?]]) { self.cells = cells }

    /// From texts; for scripted conversations.
    init(_ texts: [[String?]]) { cells = texts.map { $0.map { $0.map { Array($0.utf8) } } } }

    var count: Int { cells.count }

    /// A cell's bytes; nil for NULL and for a cell that is not there.
    func bytes(_ row: Int, _ column: Int) -> [UInt8]? {
        guard cells.indices.contains(row), cells[row].indices.contains(column) else { return nil }
        return cells[row][column]
    }

    func text(_ row: Int, _ column: Int) -> String? {
        bytes(row, column).map { String(decoding: $0, as: UTF8.self) }
    }

    func number<N: FixedWidthInteger>(_ row: Int, _ column: Int, as type: N.Type = N.self) -> N? {
        text(row, column).flatMap { N($0) }
    }

    /// An LSN in the server's notation.
    func lsn(_ row: Int, _ column: Int) -> UInt64? {
        text(row, column).flatMap { LSN.parse($0) }
    }

    /// `t` or `f`.
    func flag(_ row: Int, _ column: Int) -> Bool? {
        switch text(row, column) {
        case "t": true
        case "f": false
        default: nil
        }
    }

    /// A bytea in hex notation (`\x00ff`).
    func binary(_ row: Int, _ column: Int) -> [UInt8]? {
        guard let text = bytes(row, column), text.starts(with: "\\x".utf8), text.count % 2 == 0
        else { return nil }
        var result: [UInt8] = []
        result.reserveCapacity(text.count / 2 - 1)
        for place in stride(from: 2, to: text.count, by: 2) {
            guard let high = Self.nibble(text[place]), let low = Self.nibble(text[place + 1])
            else { return nil }
            result.append(high << 4 | low)
        }
        return result
    }

    private static func nibble(_ digit: UInt8) -> UInt8? {
        Character(Unicode.Scalar(digit)).hexDigitValue.map { UInt8($0) }
    }
}
