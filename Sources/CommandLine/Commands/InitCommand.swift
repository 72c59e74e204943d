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
        guard let place = RepositoryURL(repository) else {
            throw TidemarkError(
                .usage, "--repository is not file:///path or s3://bucket/prefix",
                remedy: "for example --repository file:///var/lib/tidemark")
        }
        if let refusal = UnbuiltFeatures.refusal(of: place) { throw refusal }
        let servers = LocalServers.find()
        let path = output ?? file.path ?? "tidemark.yml"
        let text = ConfigurationTemplate.text(repository: repository, servers: servers)
        try NewFile.write(text, to: path)
        let isFound = ["tidemark.yml", "./tidemark.yml", "/etc/tidemark/tidemark.yml"].contains(
            path)
        Output.note(Self.summary(path, place, servers, isUsual: isFound))
    }

    /// What was made, what was not, and what comes next.
    private static func summary(
        _ path: String, _ place: RepositoryURL, _ servers: [LocalServer], isUsual: Bool
    ) -> String {
        func list(_ servers: [LocalServer]) -> String {
            servers.map { "\($0.kind.rawValue) at \($0.place)" }.joined(separator: ", ")
        }
        var lines = [
            servers.isEmpty
                ? "wrote \(path) with an example, since no server to archive was found here"
                : "wrote \(path) with \(list(servers))"
        ]
        lines.append(
            "nothing else was made: `tidemark run` begins the archive in \(place.description)")
        let option = isUsual ? "" : " --config \(path)"
        lines.append(
            "next: look it over, give every ${NAME} in it a value (the variable NAME, or NAME_FILE "
                + "with a file's path), then run `tidemark check\(option)`")
        return lines.joined(separator: "\n")
    }
}
