/// One option of the configuration: everything about it, defined once in `OptionTable`.
struct ConfigurationOption<Value: Sendable>: Sendable {
    /// `sources.*.url`: `*` stands for a name the user chooses, `[]` for the items of a list.
    let pattern: String
    let type: OptionType<Value>
    /// As it would be written; nil when the option has no default or must be given.
    let defaultText: String?
    /// Its value is repeated in no message.
    let isSecret: Bool
    /// One sentence; stands in the file that `init` writes.
    let help: String
    /// What `init` shows where there is no default.
    let example: String?
    /// Whether `init` writes it at all.
    let isOffered: Bool

    init(
        _ pattern: String, _ type: OptionType<Value>, default defaultText: String? = nil,
        isSecret: Bool = false, example: String? = nil, isOffered: Bool = true, _ help: String
    ) {
        self.pattern = pattern
        self.type = type
        self.defaultText = defaultText
        self.isSecret = isSecret
        self.help = help
        self.example = example
        self.isOffered = isOffered
    }

    /// The same option without its type, for walking the table.
    var entry: OptionEntry {
        OptionEntry(
            pattern: pattern, expectation: type.expectation, defaultText: defaultText,
            isSecret: isSecret, help: help, example: example, isOffered: isOffered,
            validate: { [type] (text) throws(OptionComplaint) in _ = try type.parse(text) })
    }
}

/// A row of the option table.
struct OptionEntry: Sendable {
    let pattern: String
    let expectation: String
    let defaultText: String?
    let isSecret: Bool
    let help: String
    let example: String?
    let isOffered: Bool
    /// Throws what is wrong with a text.
    let validate: @Sendable (String) throws(OptionComplaint) -> Void
}
