import ArgumentParser
import Daemon
import Model

/// Names the archive without a configuration: for commands that need nothing else, above all when
/// the machine with the configuration is lost.
struct ArchiveOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("The archive, instead of a configuration file.", valueName: "url"))
    var repository: String?

    func load(_ file: ConfigurationOptions) throws(TidemarkError) -> Configuration {
        guard let repository else { return try file.load(contactsSources: false) }
        guard file.path == nil else {
            throw TidemarkError(
                .usage, "--repository and --config exclude each other",
                remedy: "leave one of them out")
        }
        return try Configuration(urls: [], repository: repository, environment: .process)
    }
}
