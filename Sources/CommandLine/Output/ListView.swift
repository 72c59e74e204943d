import Daemon
import Model
import Monitoring

/// How `list` shows its document to people.
enum ListView {
    static func text(_ document: ListDocument, style: TerminalStyle = .output) -> String {
        let parts = document.sources.map { source in
            style.bold("\(source.name) (\(source.kind.rawValue))") + "\n" + windows(source)
                + doubts(source) + timelines(source) + backups(source) + points(source)
                + gaps(source, style) + missing(source, style)
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

    /// Times at which a restore asks which of two histories is meant.
    private static func doubts(_ source: ListedSource) -> String {
        source.doubts.map { doubt in
            let end = doubt.to.map { "to \($0.time)" } ?? "on"
            return "  two histories from \(doubt.from.time) \(end): a time in there needs "
                + "--timeline \(doubt.timeline) or --timeline \(doubt.successor)\n"
        }.joined()
    }

    /// Only where there is a choice.
    private static func timelines(_ source: ListedSource) -> String {
        guard source.timelines.count > 1 else { return "" }
        var table = Table(
            ("  TIMELINE", .left), ("LEFT", .left), ("AT", .left), ("ARCHIVED TO", .left),
            ("REMARKS", .left))
        for timeline in source.timelines {
            table.add(
                "  " + timeline.id.name, timeline.parent?.name ?? "", timeline.fork ?? "",
                timeline.end ?? "",
                timeline.isCurrent
                    ? "current"
                    : timeline.isBranch
                        ? "goes on behind the fork: restore --timeline \(timeline.id)" : "")
        }
        return table.text()
    }

    private static func backups(_ source: ListedSource) -> String {
        var table = Table(
            ("  BASE BACKUP", .left), ("FINISHED", .left), ("SIZE", .right), ("STORED", .right),
            ("REMARKS", .left))
        for backup in source.backups {
            table.add(
                "  " + backup.id, backup.finished.time.text(fractionDigits: 0),
                "\(ByteCount(backup.bytes))", "\(ByteCount(backup.storedBytes))",
                backup.broken.map { "not restorable: \($0)" } ?? remarks(backup.warnings.count))
        }
        return table.isEmpty ? "" : table.text()
    }

    /// The words are long, and JSON has them.
    private static func remarks(_ count: Int) -> String {
        switch count {
        case 0: ""
        case 1: "1 warning (--json)"
        default: "\(count) warnings (--json)"
        }
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

    private static func missing(_ source: ListedSource, _ style: TerminalStyle) -> String {
        source.missing.map {
            "  " + style.red("missing") + " on timeline \($0.timeline) from \($0.first) to "
                + "\($0.last), and no gap record says why: `tidemark verify` tells what to do\n"
        }.joined()
    }
}
