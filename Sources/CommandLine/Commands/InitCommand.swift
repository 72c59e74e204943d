import ArgumentParser
import Daemon
import Model

/// `tidemark init`
struct InitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Writes a commented tidemark.yml.",
        discussion: """
            Looks for database servers on this machine and writes an entry for each.
            Never overwrites a file.

            Example:
              tidemark init --repository file:///srv/archive --output tidemark.yml
            """)

    @OptionGroup var file: ConfigurationOptions

    @Option(
        help: ArgumentHelp(
            "The file to write; else --config, or ./tidemark.yml.", valueName: "path"))
    var output: String?

    @Option(help: ArgumentHelp("Where the archive shall lie.", valueName: "url"))
    var repository = "file:///var/lib/tidemark"

    func run() throws {
        guard RepositoryURL(repository) != nil else {
            throw TidemarkError(
                .usage, "--repository is not file:///path or s3://bucket/prefix",
                remedy: "for example --repository file:///var/lib/tidemark")
        }
        let servers = LocalServers.find()
        let path = output ?? file.path ?? "tidemark.yml"
        let text = ConfigurationTemplate.text(repository: repository, servers: servers)
        try NewFile.write(text, to: path)
        let found = servers.map { "\($0.kind.rawValue) at \($0.place)" }.joined(separator: ", ")
        Output.note(
            "wrote \(path); servers found: \(found.isEmpty ? "none" : found)\n"
                + "next: look it over, then run `tidemark check`")
    }
}
