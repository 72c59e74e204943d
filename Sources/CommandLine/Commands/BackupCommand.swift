import ArgumentParser
import Daemon
import Model

/// `tidemark backup`
struct BackupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Takes a base backup now.",
        discussion: """
            Where no sidecar runs it archives the stream itself for as long as the base
            backup needs it. Every source is tried, also when another one fails.

            Example:
              tidemark backup ledger
            """)

    @OptionGroup var file: ConfigurationOptions

    @Flag(help: "Print JSON.")
    var json = false

    @Argument(help: "Sources to back up; all when none is named.")
    var sources: [SourceID] = []

    func run() throws {
        let configuration = try file.load()
        // Found before anything is connected to.
        _ = try configuration.select(sources)
        let outcome = try BackupOperation(
            configuration, sources: sources, progress: ProgressLine()
        ).run()
        let backups = outcome.taken
        if !backups.isEmpty {
            Output.result(
                json ? try JSONText.encode(backups.map(BackupView.init)) : BackupView.text(backups))
        }
        if let failure = outcome.failure { throw failure }
    }
}
