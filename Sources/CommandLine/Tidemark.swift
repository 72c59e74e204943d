import ArgumentParser
import Model

/// The root of the command line.
struct Tidemark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tidemark",
        abstract: "Archives databases continuously and restores them to any moment.",
        discussion: """
            Start with `tidemark init` and `tidemark check`, then leave
            `tidemark run` running.

            Example:
              tidemark restore --to 2026-11-22T12:00:00Z --into /srv/restored --start

            Exit status: 0 done, 1 failed, 2 usage or configuration, 3 target cannot
            be reached, 4 archive damaged or incomplete, 5 a source or the repository
            cannot be reached, 6 an objective is breached (status --check). A signal
            ends it as it ends any program: 130 for SIGINT, 143 for SIGTERM.
            """,
        version: ProgramVersion.text,
        subcommands: [
            InitCommand.self, CheckCommand.self, RunCommand.self, BackupCommand.self,
            StatusCommand.self, ListCommand.self, FindCommand.self, MarkCommand.self,
            RestoreCommand.self, ExportCommand.self, VerifyCommand.self, WalCommand.self,
        ])

    @OptionGroup var file: ConfigurationOptions
}
