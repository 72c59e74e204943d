import ArgumentParser
import Daemon
import Model

/// `tidemark wal push`
struct WalPushCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "push",
        abstract: "Archives one WAL file: Postgres's archive_command.",
        discussion: """
            The same bytes twice are fine, other bytes under the same name are
            refused.

            Example, in postgresql.conf:
              archive_command = 'tidemark wal push %p'
            """)

    @OptionGroup var file: ConfigurationOptions
    @OptionGroup var archive: ArchiveOptions

    @Option(help: ArgumentHelp("The source, when there are several.", valueName: "name"))
    var source: SourceID?

    @Argument(help: "The file to archive (%p).")
    var path: String

    func run() throws {
        try WalPushOperation(try archive.load(file), source: source, path: path).run()
    }
}
