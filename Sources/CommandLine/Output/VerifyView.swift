import Daemon
import Model

/// How `verify` shows its report to people.
enum VerifyView {
    static func text(_ report: VerifyReport, style: TerminalStyle = .output) -> String {
        var table = Table(
            ("SOURCE", .left), ("SEGMENTS", .right), ("BASE BACKUPS", .right), ("STORED", .right),
            ("RESULT", .left))
        let sound = report.deep ? "sound" : "names and footers sound"
        for source in report.sources {
            table.add(
                source.name.name, "\(source.segments)", "\(source.backups)",
                "\(ByteCount(source.storedBytes))",
                source.problems.isEmpty
                    ? sound + Self.warned(source.warnings.count)
                    : Self.count(source.problems.count))
        }
        let whole = report.problems.map { style.red($0) + "\n" }
        let problems =
            whole
            + report.sources.flatMap { source in
                source.problems.map { style.red("\(source.name): \($0)") + "\n" }
            }
        let warnings = report.sources.flatMap { source in
            source.warnings.map { style.yellow("\(source.name): warning: \($0)") + "\n" }
        }
        let limit = report.deep ? "" : "The content was not read; --deep reads and checks it.\n"
        return table.text(title: style.bold) + problems.joined() + warnings.joined()
            + limit
    }

    private static func warned(_ warnings: Int) -> String {
        switch warnings {
        case 0: ""
        case 1: ", 1 warning"
        default: ", \(warnings) warnings"
        }
    }

    /// `1 problem`, `2 problems`.
    static func count(_ problems: Int) -> String {
        problems == 1 ? "1 problem" : "\(problems) problems"
    }
}
