import Model

/// The commented file that `init` writes, made from the option table.
package enum ConfigurationTemplate {
    private static let head = """
        # The configuration of tidemark. Every key is checked: a misspelt one is an error.
        # ${NAME} is replaced by the environment variable NAME, or by the content of the file that
        # the variable NAME_FILE names. That may hold any sign: in a URL it is encoded.

        """

    /// - Parameter servers: those found; without any, an example is written.
    package static func text(repository: String, servers: [LocalServer]) -> String {
        var text = head
        for (section, help) in OptionTable.sectionHelp {
            text += "\n# \(help)\n"
            switch section {
            case "repository":
                text += "repository:\n"
                text += options(
                    "repository.", indent: "  ", active: ["repository.url": repository])
            case "sources": text += sources(servers)
            default:
                // Without an active key the section itself is a comment too.
                text += "# \(section):\n" + options(section + ".", indent: "#   ", active: [:])
            }
        }
        return text
    }

    private static func sources(_ servers: [LocalServer]) -> String {
        var text = "sources:\n"
        var names: Set<String> = []
        let example = LocalServer(kind: .postgres, place: "localhost:5432", port: 5432)
        for server in servers.isEmpty ? [example] : servers {
            var name = server.kind.rawValue
            if !names.insert(name).inserted {
                name += "-\(server.port)"
                names.insert(name)
            }
            text += "  \(name):\n"
            text += options(
                "sources.*.", indent: "    ",
                active: ["sources.*.url": url(server, name)], kind: server.kind)
        }
        return text
    }

    private static func url(_ server: LocalServer, _ name: String) -> String {
        let variable = name.uppercased().replacing("-", with: "_") + "_PASSWORD"
        switch server.kind {
        case .postgres:
            let isSocket = server.place.hasPrefix("/")
            let host = isSocket ? "" : server.place
            let query = isSocket ? "?host=\(server.place)&port=\(server.port)" : ""
            return "postgresql://tidemark:${\(variable)}@\(host)/postgres\(query)"
        case .mongodb: return "mongodb://tidemark:${\(variable)}@\(server.place)/"
        case .redis: return "redis://:${\(variable)}@\(server.place)"
        }
    }

    /// The options directly below a prefix, and those of its inner sections: help, then the line.
    private static func options(
        _ prefix: String, indent: String, active: [String: String], kind: DatabaseKind? = nil
    ) -> String {
        var text = ""
        var inner: [String] = []
        for option in OptionTable.all where option.pattern.hasPrefix(prefix) && option.isOffered {
            if option.pattern == OptionTable.slot.pattern, kind != .postgres { continue }
            let words = option.pattern.dropFirst(prefix.count).split(separator: ".")
            let blanks = indent + String(repeating: "  ", count: words.count - 1)
            if words.count > 1, !inner.contains(String(words[0])) {
                inner.append(String(words[0]))
                text += "\(indent)\(off(indent))\(words[0]):\n"
            }
            let value = active[option.pattern]
            text += comment(option, indent: blanks)
            text +=
                value.map { "\(blanks)\(words[words.count - 1]): \(quoted($0))\n" }
                ?? "\(blanks)\(off(indent))\(words[words.count - 1]): "
                + "\(quoted(option.defaultText ?? option.example ?? ""))\n"
        }
        return text
    }

    private static func comment(_ option: OptionEntry, indent: String) -> String {
        var help = option.help
        if let value = option.defaultText { help += " Default: \(value)." }
        return indent + "# " + help + "\n"
    }

    /// Optional keys are comments; but a section that is one as a whole comes to life as a whole.
    private static func off(_ indent: String) -> String { indent.hasPrefix("#") ? "" : "# " }

    private static func quoted(_ value: String) -> String {
        let isPlain = value.utf8.allSatisfy {
            UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0
                || UInt8(ascii: "A")...UInt8(ascii: "Z") ~= $0
                || UInt8(ascii: "-")...UInt8(ascii: "9") ~= $0 || $0 == UInt8(ascii: "_")
        }
        return isPlain ? value : "\"\(value)\""
    }
}
