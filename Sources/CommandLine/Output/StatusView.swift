import Model
import Monitoring

/// How `status` shows its document to people.
enum StatusView {
    static func text(_ document: StatusDocument, style: TerminalStyle = .output) -> String {
        var table = Table(
            ("SOURCE", .left), ("KIND", .left), ("STATE", .left), ("EXPOSURE", .right),
            ("RPO", .right), ("OBJECTIVE", .left), ("ARCHIVED", .left), ("RESTORABLE TO", .left),
            ("WINDOW FROM", .left), ("LAST BACKUP", .left))
        for source in document.sources {
            table.add(
                source.name.name, source.kind.rawValue, source.state.rawValue,
                source.exposureSeconds.map(seconds) ?? "unknown", seconds(source.rpoSeconds),
                source.objective.rawValue, source.archivedPosition ?? "-",
                source.restorableTo?.time.description ?? "-",
                source.recoveryWindows.last?.from.time.text(fractionDigits: 0) ?? "-",
                source.lastBackup?.finished.time.text(fractionDigits: 0) ?? "none")
        }
        var text = table.text(title: style.bold)
        for source in document.sources { text += remarks(source, style) }
        if document.repository.state != "ok" {
            text += style.red("repository: \(document.repository.state)") + "\n"
        }
        return text
    }

    /// What does not fit into a column: why it is not streaming, and what is lost.
    private static func remarks(_ source: SourceStatus, _ style: TerminalStyle) -> String {
        var text = ""
        if !source.reason.isEmpty {
            text += style.yellow("\(source.name): \(source.reason)") + "\n"
        }
        if let backup = source.lastBackup, let first = backup.warnings.first {
            let more = backup.warnings.count - 1
            let rest = more > 0 ? "; and \(more) more (`tidemark list --json`)" : ""
            text += style.yellow("\(source.name): base backup \(backup.id): \(first)\(rest)") + "\n"
        }
        for gap in source.gaps {
            let place = "from \(gap.first) to \(gap.last) on timeline \(gap.timeline)"
            text += style.red("\(source.name): gap \(place): \(gap.reason)") + "\n"
        }
        return text
    }

    /// `0.4 s`, `15 min`, `3 h 20 min`, `2 d 4 h`: never too good.
    static func seconds(_ value: Double) -> String { DurationWords.text(value) }
}
