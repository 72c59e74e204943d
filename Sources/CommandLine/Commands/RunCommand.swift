import ArgumentParser
import Daemon
import Logging
import Model
import Platform

/// `tidemark run`
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Archives every source until SIGTERM.",
        discussion: """
            Streams, takes scheduled base backups, and proves every second what could
            be lost.

            Example:
              tidemark run --config /etc/tidemark/tidemark.yml

            Without a file; ${NAME} is filled in by tidemark, so that no password
            stands in the command:
              tidemark run 'postgresql://tidemark:${DB_PASSWORD}@db/ledger' \\
                --repository file:///var/lib/tidemark
            """)

    @OptionGroup var file: ConfigurationOptions

    @Option(help: ArgumentHelp("The archive, when sources are given as URLs.", valueName: "url"))
    var repository: String?

    @Argument(help: ArgumentHelp("Databases to archive, instead of a file.", valueName: "url"))
    var urls: [String] = []

    @Option(help: "How log lines look: text or json; text on a terminal, else json.")
    var logFormat: LineLogHandler.Format?

    @Flag(help: "Log what happens in detail.")
    var verbose = false

    @Flag(help: "Stream only; take no base backups.")
    var noBackup = false

    func validate() throws {
        guard urls.isEmpty == (repository == nil) else {
            throw ValidationError("URLs and --repository belong together: give both, or neither")
        }
        if repository != nil, file.path != nil {
            throw ValidationError("--config and --repository exclude each other")
        }
    }

    func run() async throws {
        let configuration: Configuration
        if let repository {
            configuration = try Configuration(
                urls: urls, repository: repository, environment: .process)
        } else {
            configuration = try file.load()
        }
        try await RunOperation(configuration, log: logger(), takesBackups: !noBackup).run()
    }

    private func logger() -> Logger {
        let format = logFormat ?? (Output.isErrorTerminal ? .text : .json)
        let level: Logger.Level = verbose ? .debug : .info
        return Logger(label: "tidemark") { _ in
            LineLogHandler(format, level: level, time: SystemTimeSource())
        }
    }
}

extension LineLogHandler.Format: ExpressibleByArgument {}
