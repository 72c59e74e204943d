import ArgumentParser
import Daemon
import Model

/// `tidemark wal fetch`
struct WalFetchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fetch",
        abstract: "Brings one WAL file: Postgres's restore_command.",
        discussion: """
            Exit status: 0 the file is at PATH, 1 the archive proves that nothing
            follows (Postgres ends recovery), 126 anything else (Postgres stops and can
            go on later).

            A file that does not hold everything that was acknowledged is not brought,
            since the server would take its end for the end of history. With --until it
            is good enough when it holds everything before that position: `restore`
            writes it when recovery stops there.

            Example, in postgresql.conf:
              restore_command = 'tidemark wal fetch --repository file:///srv/wal %f %p'
            """)

    @OptionGroup var file: ConfigurationOptions
    @OptionGroup var archive: ArchiveOptions

    @Option(help: ArgumentHelp("The source, when there are several.", valueName: "name"))
    var source: SourceID?

    /// Where recovery stops; nil: at the archive's end.
    @Option(
        help: ArgumentHelp("Recovery stops here: nothing behind it is needed.", valueName: "lsn"))
    var until: String?

    @Argument(help: "The file's name (%f).")
    var name: String

    @Argument(help: "Where to put it (%p).")
    var path: String

    func run() throws {
        let operation = WalFetchOperation(
            try archive.load(file), source: source, name: name, path: path, until: until,
            say: { Output.note("tidemark: " + $0) })
        switch try operation.run() {
        case .delivered: return
        case .endOfArchive: throw ExitCode(1)
        }
    }
}
