import ArgumentParser
import Daemon
import Model

/// `tidemark verify`
struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Reads the archive back and checks it.",
        discussion: """
            Checks continuity, chains and that base backups are complete; with --deep
            also every byte. Needs the archive alone. Exit status 4 when something is
            damaged, or missing without a gap record that tells of it.

            Example:
              tidemark verify --deep
            """)

    @OptionGroup var file: ConfigurationOptions
    @OptionGroup var archive: ArchiveOptions

    @Option(
        name: .customLong("source"),
        help: ArgumentHelp("Only this source; may be repeated.", valueName: "name"))
    var sources: [SourceID] = []

    @Flag(help: "Decompress and checksum everything too.")
    var deep = false

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let report = try VerifyOperation(
            try archive.load(file), sources: sources, isDeep: deep, progress: ProgressLine()
        ).run()
        Output.result(json ? try JSONText.encode(report) : VerifyView.text(report))
        if !report.isSound {
            let count = report.sources.reduce(0) { $0 + $1.problems.count }
            throw TidemarkError(
                .archiveDamaged, "\(VerifyView.count(count)) found in the archive",
                remedy:
                    "take a new base backup (`tidemark backup`), and mend the archive from a copy")
        }
    }
}
