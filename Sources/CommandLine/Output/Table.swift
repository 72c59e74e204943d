/// Aligned columns, two spaces apart.
struct Table {
    enum Alignment { case left, right }

    private let columns: [(title: String, alignment: Alignment)]
    private var rows: [[String]] = []

    init(_ columns: (title: String, alignment: Alignment)...) { self.columns = columns }

    var isEmpty: Bool { rows.isEmpty }

    /// - Precondition: one cell per column.
    mutating func add(_ cells: String...) {
        precondition(cells.count == columns.count, "a row has one cell per column")
        rows.append(cells)
    }

    /// Title row and rows, each ending in a newline; no blanks at the ends of lines.
    ///
    /// - Parameter style: applied to a finished line, so that it does not disturb the widths.
    func text(title style: (String) -> String = { $0 }) -> String {
        let titles = columns.map(\.title)
        let widths = columns.indices.map { column in
            ([titles] + rows).map { $0[column].count }.max() ?? 0
        }
        let lines = [style(line(titles, widths))] + rows.map { line($0, widths) }
        return lines.joined(separator: "\n") + "\n"
    }

    private func line(_ cells: [String], _ widths: [Int]) -> String {
        let padded = cells.indices.map { column -> String in
            let blanks = String(repeating: " ", count: widths[column] - cells[column].count)
            return columns[column].alignment == .left
                ? cells[column] + blanks : blanks + cells[column]
        }
        var text = padded.joined(separator: "  ")
        while text.last == " " { text.removeLast() }
        return text
    }
}
