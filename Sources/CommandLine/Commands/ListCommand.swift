import ArgumentParser
import Daemon
import Model

/// `tidemark list`
struct ListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Lists base backups, restore points, gaps and recovery windows.",
        discussion: """
            Needs the archive alone; no source is asked.

            Example:
              tidemark list --source ledger
            """)

    @OptionGroup var file: ConfigurationOptions
    @OptionGroup var archive: ArchiveOptions

    @Option(
        name: .customLong("source"),
        help: ArgumentHelp("Only this source; may be repeated.", valueName: "name"))
    var sources: [SourceID] = []

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let document = try ListOperation(try archive.load(file), sources: sources).run()
        Output.result(json ? try JSONText.encode(document) : ListView.text(document))
    }
}
