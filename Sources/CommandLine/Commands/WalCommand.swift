import ArgumentParser

/// `tidemark wal`
struct WalCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wal",
        abstract: "Postgres's restore_command and archive_command.",
        discussion: """
            Example, in postgresql.conf:
              archive_command = 'tidemark wal push %p'
            """,
        subcommands: [WalFetchCommand.self, WalPushCommand.self, WalPrefetchCommand.self])
}
