import Daemon
import Model

/// How `check` shows what it found.
struct CheckView: Encodable {
    struct Line: Encodable {
        var level: String
        var message: String
        var remedy: String
    }

    var subject: String
    var findings: [Line]

    init(_ report: CheckReport) {
        subject = report.subject
        findings = report.findings.map {
            Line(level: $0.level.rawValue, message: $0.message, remedy: $0.remedy)
        }
        if let failure = report.failure {
            findings.append(
                Line(level: "error", message: failure.message, remedy: failure.remedy))
        }
    }

    /// One line per finding, its remedy indented below it.
    static func text(
        _ reports: [CheckReport], style: TerminalStyle = .output
    ) -> String {
        var text = ""
        for view in reports.map(CheckView.init) {
            text += style.bold(view.subject) + "\n"
            for line in view.findings {
                text += "  \(mark(line.level, style))  \(line.message)\n"
                for remedy in line.remedy.split(separator: "\n") {
                    text += "           \(remedy)\n"
                }
            }
        }
        return text
    }

    private static func mark(_ level: String, _ style: TerminalStyle) -> String {
        switch level {
        case "ok": style.green("ok     ")
        case "warning": style.yellow("warning")
        default: style.red("error  ")
        }
    }
}
