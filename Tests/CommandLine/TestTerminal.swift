import Model
import Platform
import TestKit

/// A terminal of a size, made by script(1), and what stands on its screen.
struct TestTerminal {
    let rows: Int
    let columns: Int

    /// Starts the program on the terminal: both of its outputs are read together.
    func start(
        _ arguments: [String], environment: [String: String] = ["TERM": "xterm", "NO_COLOR": ""]
    ) throws -> Subprocess {
        let program = try TidemarkProcess.program()
        let words = ([program] + arguments).map(ShellWord.quoted).joined(separator: " ")
        return try Subprocess(
            "/usr/bin/script",
            ["-qfec", "stty rows \(rows) cols \(columns) && exec \(words)", "/dev/null"],
            SubprocessOptions(environment: environment, signalOnParentDeath: .kill))
    }

    /// Runs it to its end; what was written to the terminal.
    func run(
        _ arguments: [String], environment: [String: String] = ["TERM": "xterm", "NO_COLOR": ""]
    ) throws -> String {
        let process = try start(arguments, environment: environment)
        guard process.wait(seconds: 60) != nil else {
            throw TidemarkError(.failed, "the program did not end on a terminal")
        }
        return process.output
    }

    /// The lines of the screen after all this was written, and how many rows have rolled off.
    ///
    /// Knows what the program uses: CUP to the corner, EL and ED to the end, SGR, and new lines.
    func screen(_ written: String) throws -> (lines: [String], rolled: Int) {
        var cells = Array(repeating: Array(repeating: Character(" "), count: columns), count: rows)
        var (row, column, rolled) = (0, 0, 0)
        func down() {
            row += 1
            guard row == rows else { return }
            cells.removeFirst()
            cells.append(Array(repeating: " ", count: columns))
            row -= 1
            rolled += 1
        }
        var rest = Substring(written)
        while let sign = rest.popFirst() {
            switch sign {
            case "\r\n":
                down()
                column = 0
            case "\n": down()
            case "\r": column = 0
            case "\u{1B}":
                guard rest.popFirst() == "[", let end = rest.firstIndex(where: \.isLetter) else {
                    throw TidemarkError(.failed, "a sequence without an end")
                }
                let words = rest[...end]
                rest = rest[rest.index(after: end)...]
                switch words.last {
                case "m": break
                case "H" where words == "H": (row, column) = (0, 0)
                case "K" where words == "K":
                    for place in min(column, columns)..<columns { cells[row][place] = " " }
                case "J" where words == "J":
                    for place in min(column, columns)..<columns { cells[row][place] = " " }
                    for below in (row + 1)..<max(row + 1, rows) {
                        cells[below] = Array(repeating: " ", count: columns)
                    }
                default: throw TidemarkError(.failed, "the sequence \(words) is not expected")
                }
            default:
                if column == columns {
                    down()
                    column = 0
                }
                cells[row][column] = sign
                column += 1
            }
        }
        return (cells.map { String($0) }, rolled)
    }
}
