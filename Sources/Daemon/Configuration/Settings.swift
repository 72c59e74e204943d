import Model

/// A whole configuration document, checked against the option table, by path.
///
/// Every message names file, line and key: `tidemark.yml:12: sources.ledger.rpo: …`.
struct Settings: Sendable {
    /// How the document is named in messages.
    let file: String
    private var values: [String: Setting] = [:]
    /// Lines of sections and lists, and the names or number of what is in them.
    private var lines: [String: Int] = [:]
    private var names: [String: [String]] = [:]
    private var counts: [String: Int] = [:]

    /// Checks the whole tree: shape, keys, types, ranges.
    init(
        _ root: SettingNode?, file: String, environment: Environment
    ) throws(TidemarkError) {
        self.file = file
        guard let root else { return }
        try walk(root, .configuration, path: "", environment)
    }

    /// The value of an option, its default, or nil. `keys` fill the `*` and `[]` of its pattern.
    func value<Value>(
        _ option: ConfigurationOption<Value>, _ keys: String...
    ) throws(TidemarkError) -> Value? {
        let path = Self.path(option.pattern, keys)
        let setting = values[path] ?? option.defaultText.map { Setting(text: $0, line: 0) }
        guard let setting else { return nil }
        do {
            return try option.type.parse(setting.text)
        } catch {
            preconditionFailure("\(path) was accepted before")
        }
    }

    /// As written, with the environment filled in; nil when it is not in the document.
    func setting<Value>(_ option: ConfigurationOption<Value>, _ keys: String...) -> Setting? {
        values[Self.path(option.pattern, keys)]
    }

    /// Where a section, list or option stands in the document; nil when it does not.
    func line(of path: String) -> Int? { lines[path] ?? values[path]?.line }

    /// Whether a section or list holds anything, so that one in which everything is a comment does
    /// not.
    func hasContent(_ path: String) -> Bool {
        count(in: path) > 0 || values.keys.contains { $0.hasPrefix(path + ".") }
    }

    /// The user's names in a section (`sources`), in the order of the document.
    func names(in path: String) -> [String] { names[path] ?? [] }

    /// How many items a list has.
    func count(in path: String) -> Int { counts[path] ?? 0 }

    /// An error at a place of the document.
    func complaint(_ path: String, _ problem: String, remedy: String = "") -> TidemarkError {
        complaint(path, line: line(of: path), problem, remedy: remedy)
    }

    private static func path(_ pattern: String, _ keys: [String]) -> String {
        var keys = keys[...]
        let words = pattern.split(separator: ".").map { word -> String in
            if word == "*" { return keys.removeFirst() }
            return word.hasSuffix("[]")
                ? "\(word.dropLast(2))[\(keys.removeFirst())]" : String(word)
        }
        return words.joined(separator: ".")
    }
}

extension Settings {
    private mutating func walk(
        _ node: SettingNode, _ schema: SettingSchema, path: String, _ environment: Environment
    ) throws(TidemarkError) {
        lines[path] = node.line
        switch (schema, node) {
        case (.option(let entry), .scalar(let text, let isNull, let line)):
            guard !isNull else {
                throw complaint(
                    path, line: line, "has no value",
                    remedy: "give it \(entry.expectation), or remove the key")
            }
            values[path] = try read(text, entry, path: path, line: line, environment)
        case (.section(let known), .mapping(let pairs, _)):
            try section(pairs, known, path: path, environment)
        case (.named(let schema), .mapping(let pairs, _)):
            names[path] = pairs.map(\.key)
            for pair in pairs {
                try walk(pair.value, schema, path: "\(path).\(pair.key)", environment)
                lines["\(path).\(pair.key)"] = pair.line
            }
        case (.list(let schema), .sequence(let items, _)):
            counts[path] = items.count
            for (index, item) in items.enumerated() {
                try walk(item, schema, path: "\(path)[\(index)]", environment)
            }
        // A section in which everything is commented out.
        case (.section, .scalar(_, isNull: true, _)), (.named, .scalar(_, isNull: true, _)),
            (.list, .scalar(_, isNull: true, _)):
            return
        case (.option(let entry), .mapping), (.option(let entry), .sequence):
            throw complaint(
                path, line: node.line, "must be \(entry.expectation), not \(node.shape)")
        case (.section, _), (.named, _):
            throw complaint(path, line: node.line, "must be a section, not \(node.shape)")
        case (.list, _):
            throw complaint(
                path, line: node.line, "must be a list, not \(node.shape)",
                remedy: "write it in brackets: [ … ]")
        }
    }

    private mutating func section(
        _ pairs: [SettingPair], _ known: [String: SettingSchema], path: String,
        _ environment: Environment
    ) throws(TidemarkError) {
        for pair in pairs {
            let child = path.isEmpty ? pair.key : "\(path).\(pair.key)"
            guard let schema = known[pair.key] else {
                throw complaint(
                    child, line: pair.line, "unknown key", remedy: Self.advice(pair.key, known))
            }
            try walk(pair.value, schema, path: child, environment)
            if values[child] == nil { lines[child] = pair.line }
        }
    }

    private static func advice(_ key: String, _ known: [String: SettingSchema]) -> String {
        let names = known.keys.sorted()
        if let nearest = Suggestion.nearest(to: key, among: names) {
            return "did you mean \(nearest)?"
        }
        return "possible here: " + names.joined(separator: ", ")
    }

    private func read(
        _ template: String, _ entry: OptionEntry, path: String, line: Int,
        _ environment: Environment
    ) throws(TidemarkError) -> Setting {
        let expanded: Interpolation
        let needsSecrets =
            environment.contactsSources || entry.pattern != OptionTable.sourceURL.pattern
        do {
            expanded = try Interpolation(
                template, environment, standIn: needsSecrets ? nil : "unset")
        } catch {
            throw complaint(path, line: line, error.message, remedy: error.remedy)
        }
        do {
            try entry.validate(expanded.text)
        } catch {
            // Without a scheme nobody knows what kind of database it is.
            if !needsSecrets { return try strictly(template, entry, path, line, environment) }
            // A value that is secret or came from outside is not repeated.
            let isShown = !entry.isSecret && !expanded.hasReferences
            var problem = "must be \(entry.expectation)"
            if isShown { problem += ", not \"\(template.prefix(60))\"" }
            if isShown, let detail = error.detail { problem += " (\(detail))" }
            throw complaint(path, line: line, problem)
        }
        return Setting(text: expanded.text, line: line)
    }

    private func strictly(
        _ template: String, _ entry: OptionEntry, _ path: String, _ line: Int,
        _ environment: Environment
    ) throws(TidemarkError) -> Setting {
        var strict = environment
        strict.contactsSources = true
        return try read(template, entry, path: path, line: line, strict)
    }

    private func complaint(
        _ path: String, line: Int?, _ problem: String, remedy: String = ""
    ) -> TidemarkError {
        let place = line.map { $0 > 0 ? "\(file):\($0)" : file } ?? file
        let key = path.isEmpty ? "" : " \(path):"
        return TidemarkError(.configuration, "\(place):\(key) \(problem)", remedy: remedy)
    }
}
