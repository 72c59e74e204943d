import ArgumentParser
import Daemon
import Model
import Monitoring
import Platform

/// `tidemark status`
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Shows how every source stands: state, exposure, windows.",
        discussion: """
            The exposure is what would be lost if the source were gone now.

            Example, for a script that must know whether an objective is breached:
            exit status 6 if one is, or if nothing is proved of a source. A source
            that is not followed while its objective holds is told in words.
              tidemark status --check

            Without a configuration it reports on every source of the archive, against
            the usual objectives:
              tidemark status --repository file:///var/lib/tidemark
            """)

    /// Seconds between two looks with `--watch`.
    private static let interval = 1.0

    @OptionGroup var file: ConfigurationOptions
    @OptionGroup var archive: ArchiveOptions

    @Flag(help: "Print JSON.")
    var json = false

    @Flag(help: "Show it again every second until interrupted.")
    var watch = false

    @Flag(help: "Exit with 6 when an objective is breached.")
    var check = false

    func validate() throws {
        if watch, check { throw ValidationError("--watch and --check exclude each other") }
    }

    func run() throws {
        let operation = StatusOperation(try archive.load(file))
        let never = Monitor(false)
        while true {
            let report = try operation.run()
            let document = report.document
            let text = json ? try JSONText.encode(document) : StatusView.text(document)
            if watch, !json, Output.isTerminal { Output.redraw(text) } else { Output.result(text) }
            guard watch else {
                if let failure = report.failure { throw failure }
                return try verdict(document)
            }
            _ = never.wait(seconds: Self.interval) { $0 ? true : nil }
        }
    }

    private func verdict(_ document: StatusDocument) throws(TidemarkError) {
        guard check else { return }
        let verdict = StatusVerdict(document)
        for note in verdict.notes { Output.note("tidemark: " + note) }
        if let failure = verdict.failure { throw failure }
    }
}
