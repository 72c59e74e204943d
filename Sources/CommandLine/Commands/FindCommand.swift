import ArgumentParser
import Daemon
import Model

/// `tidemark find`
struct FindCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "find",
        abstract: "Lists destructive events, ready for restore --to before:ID.",
        discussion: """
            Reads the archive alone. Of Redis it finds FLUSHALL, FLUSHDB, SWAPDB,
            FUNCTION FLUSH, and DEL or UNLINK of a hundred keys and more.

            Example:
              tidemark find --source sessions --around 2026-11-22T12:00:00Z
              tidemark restore --to before:8371b4fb-120443 --into /srv/restored
            """)

    @OptionGroup var file: ConfigurationOptions
    @OptionGroup var archive: ArchiveOptions

    @Option(
        name: .customLong("source"),
        help: ArgumentHelp("Only this source; may be repeated.", valueName: "name"))
    var sources: [SourceID] = []

    @Option(
        help: ArgumentHelp("Only what was done within an hour of this time.", valueName: "time"),
        transform: FindCommand.moment)
    var around: CommitTime?

    @Option(help: ArgumentHelp("Only what contains this text.", valueName: "text"))
    var match: String?

    @Flag(help: "Print JSON.")
    var json = false

    private static func moment(_ text: String) throws -> CommitTime {
        guard let moment = CommitTime(text) else {
            throw ValidationError("a time has a zone: 2026-11-22T12:00:00Z")
        }
        return moment
    }

    func run() throws {
        let found = try FindOperation(
            try archive.load(file), sources: sources, around: around, match: match
        ).run()
        Output.result(json ? try JSONText.encode(found) : FindView.text(found))
    }
}
