import Daemon
import Model
import Monitoring

/// How `list` shows its document to people.
enum ListView {
    static func text(_ document: ListDocument, style: TerminalStyle = .output) -> String {
        let parts = document.sources.map { source in
            style.bold("\(source.name) (\(source.kind.rawValue))") + "\n" + windows(source)
                + backups(source) + points(source) + gaps(source, style)
        }
        return parts.joined(separator: "\n")
    }

    private static func windows(_ source: ListedSource) -> String {
        guard !source.recoveryWindows.isEmpty else {
            return "  nothing can be restored yet: there is no base backup with what follows it\n"
        }
        return source.recoveryWindows.map {
            "  any moment from \($0.from.time) to \($0.to.time)\n"
        }.joined()
    }

    private static func backups(_ source: ListedSource) -> String {
        var table = Table(
            ("  BASE BACKUP", .left), ("FINISHED", .left), ("SIZE", .right), ("STORED", .right),
            ("REMARKS", .left))
        for backup in source.backups {
            table.add(
                "  " + backup.id, backup.finished.time.text(fractionDigits: 0),
                "\(ByteCount(backup.bytes))", "\(ByteCount(backup.storedBytes))",
                backup.warnings.joined(separator: "; "))
        }
        return table.isEmpty ? "" : table.text()
    }

    private static func points(_ source: ListedSource) -> String {
        var table = Table(
            ("  RESTORE POINT", .left), ("TIME", .left), ("TIMELINE", .right), ("POSITION", .left))
        for point in source.points {
            table.add(
                "  " + point.name, point.time.time.description, point.timeline.name, point.position)
        }
        return table.isEmpty ? "" : table.text()
    }

    private static func gaps(_ source: ListedSource, _ style: TerminalStyle) -> String {
        source.gaps.map { gap in
            "  " + style.red("gap")
                + " on timeline \(gap.timeline) from \(gap.first) to \(gap.last), "
                + "found \(gap.found.time.text(fractionDigits: 0)): \(gap.reason)\n"
        }.joined()
    }
}
