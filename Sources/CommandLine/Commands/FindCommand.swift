import ArgumentParser
import Daemon
import Model

/// `tidemark find`
struct FindCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "find",
        abstract: "Lists destructive events, ready for restore --to before:ID.",
        discussion: """
            Reads the archive alone. It finds
            of Postgres: commits that removed files of tables or indexes (DROP,
              TRUNCATE, or a rewrite such as VACUUM FULL: WAL has no statements);
            of MongoDB: drop, dropDatabase, a rename over another collection, and
              large deletions;
            of Redis: FLUSHALL, FLUSHDB, SWAPDB, FUNCTION FLUSH, and DEL or UNLINK
              of a hundred keys and more.
            An EVENT belongs to one source: restore that one with --source. It brings
            back everything up to the event, and nothing of the event itself.

            Example:
              tidemark find --around 2026-11-22T12:00:00Z
              tidemark find --source sessions --match flush
              tidemark restore --to before:8371b4fb-120443 --source sessions \
                --into sessions=redis://127.0.0.1:6380
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
            let isZoneMissing = CommitTime(text + "Z") != nil
            throw ValidationError(
                isZoneMissing
                    ? "the time's zone is missing: \(text)Z for UTC, or \(text)+01:00"
                    : "a time is written with its zone: 2026-11-22T12:00:00Z")
        }
        return moment
    }

    func run() throws {
        let found = try FindOperation(
            try archive.load(file), sources: sources, around: around, match: match
        ).run()
        Output.result(
            json
                ? try JSONText.encode(found)
                : FindView.text(found, isNarrowed: around != nil || match != nil))
    }
}
