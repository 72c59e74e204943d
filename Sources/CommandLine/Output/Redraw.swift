/// A text that takes the place of the one before on a terminal.
enum Redraw {
    /// Rows and columns of a terminal.
    struct Size: Equatable {
        var rows: Int
        var columns: Int
    }

    /// From the top left corner, line over line, and away with what is left below: nothing is blank
    /// in between, so nothing flickers (ECMA-48: CUP, EL, ED).
    ///
    /// - Parameter size: what does not fit into it is left out, and said so: a screen that rolls
    ///   would show each text below the one before. Nil where it is not known.
    static func over(_ text: String, _ size: Size? = nil) -> String {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        if lines.last == "" { lines.removeLast() }
        let shown = size.map { fitting(lines, $0) } ?? lines
        return "\u{1B}[H" + shown.map { $0 + "\u{1B}[K\n" }.joined() + "\u{1B}[J"
    }

    /// The first lines that fit, with a row left for the cursor; a long line takes several rows.
    private static func fitting(_ lines: [Substring], _ size: Size) -> [Substring] {
        let limit = max(1, size.rows - 1)
        let heights = lines.map { (max(1, width($0)) + size.columns - 1) / max(1, size.columns) }
        guard heights.reduce(0, +) > limit else { return lines }
        var used = 1
        var count = 0
        while count < lines.count, used + heights[count] <= limit {
            used += heights[count]
            count += 1
        }
        return lines.prefix(count) + ["\(lines.count - count) more lines than this window shows"]
    }

    /// Without the sequences that set colour and weight.
    private static func width(_ line: Substring) -> Int {
        var width = 0
        var isSequence = false
        for sign in line {
            if sign == "\u{1B}" {
                isSequence = true
            } else if isSequence {
                isSequence = sign != "m"
            } else {
                width += 1
            }
        }
        return width
    }
}
