import ArgumentParser
import Daemon
import Model

/// `tidemark check`
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Tells what is missing, with the statement that mends it.",
        discussion: """
            Connects to the repository and to every source.

            Example:
              tidemark check --config /etc/tidemark/tidemark.yml
            """)

    @OptionGroup var file: ConfigurationOptions

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let configuration = try file.load()
        for notice in configuration.notices { Output.note(notice) }
        let reports = try CheckOperation(configuration).run()
        let text = json ? try JSONText.encode(reports.map(CheckView.init)) : CheckView.text(reports)
        Output.result(text)
        if let failure = reports.lazy.compactMap(\.failure).first {
            throw ExitCode(failure.code.exitStatus)
        }
        if reports.contains(where: { $0.findings.contains { $0.level == .error } }) {
            throw ExitCode(TidemarkError.Code.sourceRefused.exitStatus)
        }
    }
}
