package import Model

extension Configuration {
    /// A configuration without a file: `tidemark run URL… --repository URL`.
    ///
    /// A source is named after its database, or its kind; a second one of that name gets `-2`.
    /// `${NAME}` in a URL is replaced as in a file, so that no password need stand in the command.
    /// Without URLs it is the archive alone, for commands that only read it.
    package init(
        urls: [String], repository: String, environment: Environment
    ) throws(TidemarkError) {
        var sources: [SettingPair] = []
        for text in urls {
            let name = try Self.name(text, environment, taken: Set(sources.map(\.key)))
            sources.append(Self.pair(name, Self.section([Self.pair("url", Self.value(text))])))
        }
        let archive = Self.section([Self.pair("url", Self.value(repository))])
        var root = [Self.pair("repository", archive)]
        if !sources.isEmpty { root.append(Self.pair("sources", Self.section(sources))) }
        try self.init(
            try Settings(Self.section(root), file: "command line", environment: environment))
    }

    // Line 0 is left out of messages.
    private static func value(_ text: String) -> SettingNode {
        .scalar(text, isNull: false, line: 0)
    }

    private static func section(_ pairs: [SettingPair]) -> SettingNode { .mapping(pairs, line: 0) }

    private static func pair(_ key: String, _ value: SettingNode) -> SettingPair {
        SettingPair(key: key, line: 0, value: value)
    }

    private static func name(
        _ text: String, _ environment: Environment, taken: Set<String>
    ) throws(TidemarkError) -> String {
        guard let url = SourceURL(try Interpolation(text, environment).text) else {
            throw TidemarkError(
                .usage, "one of the arguments is not a database's URL",
                remedy: "give URLs such as postgresql://tidemark@localhost:5432/postgres")
        }
        let base = SourceID(url.database.lowercased())?.name ?? url.kind.rawValue
        guard taken.contains(base) else { return base }
        let free = (2...).lazy.map { "\(base)-\($0)" }.first { !taken.contains($0) }
        return free ?? base
    }
}
