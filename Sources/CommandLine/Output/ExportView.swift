import Daemon
import Model

/// How `export` shows what it has written.
enum ExportView {
    /// The result: one path a line.
    static func files(_ report: ExportReport) -> String {
        report.files.map { $0 + "\n" }.joined()
    }

    /// After the work, on standard error.
    static func summary(_ report: ExportReport) -> String {
        let base = report.backup.map { "base backup \($0) and " } ?? ""
        let count = report.files.count == 1 ? "1 file" : "\(report.files.count) files"
        return "\(report.name): \(base)\(report.from) to \(report.to) of timeline "
            + "\(report.timeline) in \(count), \(ByteCount(report.bytes))\n"
    }
}
