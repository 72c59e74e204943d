import ArgumentParser
import Daemon
import Model

/// `tidemark export`
struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Writes a stretch of the archive as plain native files.",
        discussion: """
            Of Postgres: whole WAL segments and history files; the last segment is
            called .partial while the archive has only its beginning. Of Redis: one
            append-only file, <first>-<last>.aof, that begins with SELECT and ends
            between transactions. --from and --to take what restore --to takes; what
            ends after --from and at or before --to is written. Without --from the
            export begins at a base backup and brings its files (tar, dump.rdb).
            Needs the archive alone.

            Example:
              tidemark export ledger --from lsn:0/3000060 --to latest --into wal
              tidemark export sessions --to 2026-11-22T12:00:00Z --into redis
            """)

    @OptionGroup var file: ConfigurationOptions
    @OptionGroup var archive: ArchiveOptions

    @Argument(help: ArgumentHelp("The source.", valueName: "source"))
    var source: SourceID

    @Option(
        help: ArgumentHelp("Where to begin; else at a base backup.", valueName: "target"),
        transform: RestoreOptions.target)
    var from: RecoveryTarget?

    @Option(
        help: ArgumentHelp("Where to stop, as for restore.", valueName: "target"),
        transform: RestoreOptions.target)
    var to: RecoveryTarget

    @Option(help: ArgumentHelp("The folder for the files.", valueName: "dir"))
    var into: String

    @Option(help: ArgumentHelp("The timeline to follow; else the newest.", valueName: "id"))
    var timeline: String?

    @Flag(help: "Write into a folder that is not empty, replacing files of the same names.")
    var force = false

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let report = try ExportOperation(
            try archive.load(file), source: source, from: from, to: to,
            timeline: timeline.map { TimelineID($0) }, into: into, force: force,
            progress: ProgressLine()
        ).run()
        Output.result(json ? try JSONText.encode(report) : ExportView.files(report))
        if !json { Output.note(ExportView.summary(report)) }
    }
}
