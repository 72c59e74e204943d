import Model

extension ServerFacts {
    /// Settings that a restored server must match, as far as we may ask for them.
    private static let wanted = [
        "databases", "maxmemory", "maxmemory-policy", "proto-max-bulk-len", "appendonly",
    ]

    static func ask(
        _ connection: inout Connection, _ info: ServerInfo?
    ) throws(TidemarkError) -> ServerFacts {
        var facts = ServerFacts(identity: "", version: info?.versionText ?? "")
        for name in wanted {
            let reply = try connection.answerIfAllowed(["CONFIG", "GET", name])
            if let pair = reply?.elements, pair.count == 2, let value = pair[1].text {
                facts.settings[name] = value
            }
        }
        if info?.isClusterNode == true { facts.settings["cluster-enabled"] = "yes" }
        if let isOff = try Inspect.isDefaultUserOff(&connection) {
            facts.settings["default-user"] = isOff ? "off" : "on"
        }
        // No RDB holds them.
        let users = try connection.answerIfAllowed(["ACL", "USERS"])?.elements ?? []
        let names = users.compactMap(\.text).filter { $0 != "default" }.sorted()
        if !names.isEmpty { facts.settings["acl-users"] = names.joined(separator: " ") }
        for module in try connection.answerIfAllowed(["MODULE", "LIST"])?.elements ?? [] {
            let fields = module.elements
            guard fields.count >= 4, let name = fields[1].text,
                case .integer(let version) = fields[3]
            else { continue }
            // What is part of the server (`vectorset` of Redis 8) has no file to load.
            if fields.count >= 6, fields[4].text == "path", fields[5].text == "" { continue }
            facts.extensions[name] = String(version)
        }
        return facts
    }
}
