/// What the configuration files that came with a copy say.
///
/// The last line of a setting counts, and `postgresql.auto.conf` is read after everything else
/// (`ProcessConfigFileInternal`, guc-file.l). What an included file says is not looked into.
struct OwnSettings: Hashable, Sendable {
    private let main: [String: String]
    private let automatic: [String: String]
    private let hasIncludes: Bool

    private static let includes = ["include", "include_if_exists", "include_dir"]

    /// - Parameters:
    ///   - main: `postgresql.conf`.
    ///   - automatic: `postgresql.auto.conf`, without what a restore wrote.
    init(main: String, automatic: String) {
        let values = Self.values(main)
        self.main = values
        self.automatic = Self.values(automatic)
        hasIncludes = Self.includes.contains { values[$0] != nil }
    }

    /// What the copy will have by itself, or `usual` when nothing is set; nil when an included file
    /// may say otherwise.
    func inForce(_ name: String, otherwise usual: String) -> String? {
        if let value = automatic[name] { return value }
        return hasIncludes ? nil : main[name] ?? usual
    }

    /// What the files themselves say last.
    func last(_ name: String) -> String? { automatic[name] ?? main[name] }

    private static func values(_ text: String) -> [String: String] {
        var values: [String: String] = [:]
        for line in text.split(separator: "\n") {
            if let (name, value) = SettingsFile.setting(line) { values[name] = value }
        }
        return values
    }
}
