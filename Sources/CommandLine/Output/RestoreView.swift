import Daemon
import Model
import Monitoring

/// How `restore` shows its plan and its result to people.
enum RestoreView {
    /// For `--dry-run`, on standard output.
    static func plan(_ report: RestoreReport) -> String {
        report.sources.map { source in
            var text = "\(source.name) to \(source.target)\n"
            text += "  into        \(source.destination)\n"
            text += "  base backup \(source.backup)\n"
            text += "  replay      \(source.segments) segments on timeline \(source.timeline)\n"
            text += "  read        \(ByteCount(source.storedBytes))\n"
            text += "  stop        \(source.stop.map { "at \($0)" } ?? "at the archive's end")\n"
            if let reaches = source.reaches { text += "  holds all of \(reaches.time)\n" }
            let estimate = source.estimatedSeconds.map { "about \(ProgressMeter.time($0))" }
            text += "  takes       \(estimate ?? "not known"): \(source.estimateBasis)\n"
            text += source.notes.map { "  note: \($0)\n" }.joined()
            return text + source.warnings.map { "  warning: \($0)\n" }.joined()
        }.joined(separator: "\n")
    }

    /// After the work, on standard error.
    static func summary(_ source: RestoredSource) -> String {
        var text = "\(source.name): restored into \(source.destination)"
        if let reaches = source.reaches { text += ", holds all of \(reaches.time)" }
        if let seconds = source.rtoSeconds {
            text += ", running; RTO \((seconds * 10).rounded() / 10) s"
        }
        text += "\n" + source.warnings.map { "\(source.name): warning: \($0)\n" }.joined()
        text += source.notes.map { "\(source.name): \($0)\n" }.joined()
        return text + (source.nextStep.map { "\(source.name): next step: \($0)\n" } ?? "")
    }
}
