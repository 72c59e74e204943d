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

    func load() throws(TidemarkError) -> Configuration {
        try ConfigurationFile.load(flag: path, environment: .process)
    }
}
