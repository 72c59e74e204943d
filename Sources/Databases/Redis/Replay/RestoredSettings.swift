import Model

/// The settings with which a restored copy loads to what the source had.
struct RestoredSettings: Sendable {
    static let fileName = "tidemark-redis.conf"

    private let order: RestoreOrder

    init(_ order: RestoreOrder) { self.order = order }

    /// Lines of redis.conf, with the reason of each.
    var text: String {
        let server = order.backup.server
        var lines = [
            "# Settings for the data that Tidemark restored here. A server that loads it needs",
            "# them; take them over into its own redis.conf (`include` of this file does it).",
            "",
            "# Without it the server ignores the restored files, and later deletes them.",
            "appendonly yes",
            "dir \(Self.quoted(order.destination))",
            "appendfilename \"appendonly.aof\"",
        ]
        if order.release.level >= .filtering {
            lines.append("appenddirname \"appendonlydir\"")
        }
        if let databases = server.settings["databases"] {
            lines += [
                "# With fewer, keys of the others end up in database 0.", "databases \(databases)",
            ]
        }
        if let memory = server.settings["maxmemory"],
            let policy = server.settings["maxmemory-policy"]
        {
            lines += [
                "# With less, keys are evicted while loading.", "maxmemory \(memory)",
                "maxmemory-policy \(policy)",
            ]
        }
        if let length = server.settings["proto-max-bulk-len"] {
            lines += ["# The longest value.", "proto-max-bulk-len \(length)"]
        }
        if let users = server.settings["acl-users"] {
            lines += [
                "# The source had these users beside default, which no backup holds; set them up",
                "# with their rights and passwords (aclfile, or user lines): \(users)",
            ]
        }
        for name in server.extensions.keys.sorted() {
            lines.append("# loadmodule the path of module \(name) must stand here")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for character in text {
            if character == "\"" || character == "\\" { quoted.append("\\") }
            quoted.append(character)
        }
        return quoted + "\""
    }
}
