package import Model

/// Finds and reads the configuration file.
package enum ConfigurationFile {
    /// No configuration is longer.
    static let limit = 1 << 20

    /// Where it is looked for when neither `--config` nor `$TIDEMARK_CONFIG` names it.
    package static let places = ["./tidemark.yml", "/etc/tidemark/tidemark.yml"]

    /// - Parameter flag: the value of `--config`.
    package static func load(
        flag: String?, environment: Environment
    ) throws(TidemarkError) -> Configuration {
        let path = try locate(flag: flag, environment: environment)
        let text: String
        do {
            text = try SmallFile.read(path, limit: limit)
        } catch {
            throw TidemarkError(
                .configuration, "\(error.message)",
                remedy: "name the configuration file with --config FILE, or write one with "
                    + "`tidemark init`")
        }
        let name = path.hasPrefix("./") ? String(path.dropFirst(2)) : path
        return try Configuration(yaml: text, file: name, environment: environment)
    }

    static func locate(
        flag: String?, environment: Environment, places: [String] = places
    ) throws(TidemarkError) -> String {
        if let flag { return flag }
        if let named = environment["TIDEMARK_CONFIG"], !named.isEmpty { return named }
        if let found = places.first(where: SmallFile.exists) { return found }
        throw TidemarkError(
            .configuration,
            "there is no configuration: looked for " + places.joined(separator: " and "),
            remedy: "write one with `tidemark init`, or name it with --config FILE")
    }
}
