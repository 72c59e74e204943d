import ArgumentParser
import Daemon
import Model

/// `--config`, before or after the command.
struct ConfigurationOptions: ParsableArguments {
    @Option(
        name: .customLong("config"),
        help: ArgumentHelp(
            "The configuration; else $TIDEMARK_CONFIG, ./tidemark.yml, /etc/tidemark/tidemark.yml.",
            valueName: "file"))
    var path: String?

    /// - Parameter contactsSources: false where the archive alone is needed, and no secret of a
    ///   source.
    func load(contactsSources: Bool = true) throws(TidemarkError) -> Configuration {
        var environment = Environment.process
        environment.contactsSources = contactsSources
        return try ConfigurationFile.load(flag: path, environment: environment)
    }
}
