/// The shape a configuration may have, built from the patterns of the option table.
indirect enum SettingSchema: Sendable {
    case option(OptionEntry)
    case section([String: SettingSchema])
    /// A section whose keys are the user's own names (`*`).
    case named(SettingSchema)
    /// `[]`.
    case list(SettingSchema)

    static let configuration = SettingSchema(OptionTable.all.map { (steps($0.pattern), $0) })

    /// - Precondition: the patterns do not contradict each other.
    private init(_ rows: [(steps: [String], entry: OptionEntry)]) {
        guard let first = rows.first?.steps.first else {
            precondition(rows.count == 1, "an option and a section share one name")
            self = .option(rows[0].entry)
            return
        }
        var groups: [String: [(steps: [String], entry: OptionEntry)]] = [:]
        for row in rows {
            precondition(!row.steps.isEmpty, "\(row.entry.pattern) is an option and a section")
            groups[row.steps[0], default: []].append((Array(row.steps.dropFirst()), row.entry))
        }
        let children = groups.mapValues { SettingSchema($0) }
        switch first {
        case "*": self = .named(children["*"]!)
        case "[]": self = .list(children["[]"]!)
        default: self = .section(children)
        }
    }

    /// `alerts[].on[]` to `alerts`, `[]`, `on`, `[]`.
    private static func steps(_ pattern: String) -> [String] {
        pattern.split(separator: ".").flatMap { word -> [String] in
            word.hasSuffix("[]") ? [String(word.dropLast(2)), "[]"] : [String(word)]
        }
    }
}
