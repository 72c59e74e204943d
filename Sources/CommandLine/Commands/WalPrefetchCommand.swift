import ArgumentParser
import Daemon
import Model

/// `tidemark wal prefetch`, which `wal fetch` starts.
struct WalPrefetchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prefetch",
        abstract: "Reads ahead of a recovering server; started by wal fetch.",
        discussion: """
            Runs in the folder of the data directory and ends by itself.

            Example:
              tidemark wal prefetch --repository file:///var/lib/tidemark --source ledger
            """,
        shouldDisplay: false)

    @OptionGroup var file: ConfigurationOptions
    @OptionGroup var archive: ArchiveOptions

    @Option(help: ArgumentHelp("The source, when there are several.", valueName: "name"))
    var source: SourceID?

    func run() throws {
        try WalPrefetchOperation(try archive.load(file), source: source).run()
    }
}
