import Glibc
import Model
import Platform

/// The configuration files of a copy.
///
/// Normally they are part of the data directory and only the dangerous lines are turned off. Where
/// they lie elsewhere (Debian: /etc/postgresql) the recorded originals are kept as `*.source`,
/// access rules are put in place, and a short `postgresql.conf` is made.
struct CopyConfiguration {
    let order: RestoreOrder
    /// Files recorded from outside the data directory: path on the source, content.
    let files: [(path: String, content: [UInt8])]

    private var root: String { order.destination }
    private var recorded: [String: String] { order.backup.server.settings }

    /// Local connections of the same operating-system user, passwords from this machine.
    private static let cautiousAccess = """
        # Made by `tidemark restore`: the source's own file was not part of the base backup.
        local all all peer
        host all all 127.0.0.1/32 scram-sha-256
        host all all ::1/128 scram-sha-256

        """

    func write() throws(TidemarkError) {
        for (path, content) in files {
            let name = path.split(separator: "/").last.map(String.init) ?? "configuration"
            try CopyFiles.writeWhole(root + "/" + name + ".source", content)
        }
        let isOutside = !CopyFiles.exists(root + "/postgresql.conf")
        let main = try isOutside ? makeMain() : mendMain()
        try access("hba_file", "pg_hba.conf", otherwise: Self.cautiousAccess)
        try access("ident_file", "pg_ident.conf", otherwise: "")
        try mendAutomatic(main: main)
    }

    /// After promotion: takes out what only recovery needed, so that a restart comes up as
    /// recorded, and tells what is left to decide.
    func settle() throws(TidemarkError) -> [String] {
        let path = root + "/postgresql.auto.conf"
        let main = String(
            decoding: try CopyFiles.read(root + "/postgresql.conf") ?? [], as: UTF8.self)
        var settings = SettingsFile(
            String(decoding: try CopyFiles.read(path) ?? [], as: UTF8.self),
            isMissing: { _ in false })
        settings.removeBlock()
        let own = OwnSettings(main: main, automatic: settings.text)
        let lines = RecoverySettings(order: order).lasting(own)
        settings.replaceBlock(lines + leftovers(main + "\n" + settings.text))
        try CopyFiles.writeWhole(path + ".tidemark", settings.text)
        try FileSystemSync.run(holding: root)
        try CopyFiles.rename(path + ".tidemark", path)
        return try remarks()
    }

    private func remarks() throws(TidemarkError) -> [String] {
        let names = RecoverySettings.protected
        var remarks = [
            "port, 127.0.0.1 and socket were given on its command line: stopped and started again "
                + "it listens where \(root)/postgresql.conf says",
            "\(names.joined(separator: " and ")) are off, so that it disturbs neither its source "
                + "nor that one's archive; once it takes the source's place: "
                + names.map { "ALTER SYSTEM RESET \($0);" }.joined(separator: " "),
        ]
        let others = try recordedElsewhere()
        if !others.isEmpty {
            remarks.append(
                "configuration as recorded at the source, not in force here: "
                    + others.joined(separator: ", "))
        }
        return remarks
    }

    /// Kept originals that differ from what is in force.
    private func recordedElsewhere() throws(TidemarkError) -> [String] {
        let suffix = ".source"
        var paths: [String] = []
        for name in try CopyFiles.names(root) ?? [] where name.hasSuffix(suffix) {
            let path = root + "/" + name
            let original = try CopyFiles.read(path)
            if try CopyFiles.read(String(path.dropLast(suffix.count))) != original {
                paths.append(path)
            }
        }
        return paths.sorted()
    }

    /// Turns off dangerous lines of the file that came with the copy; returns what remains.
    private func mendMain() throws(TidemarkError) -> String {
        let path = root + "/postgresql.conf"
        let original = try CopyFiles.read(path) ?? []
        let settings = SettingsFile(String(decoding: original, as: UTF8.self), isMissing: isMissing)
        if !settings.removed.isEmpty {
            try CopyFiles.writeWhole(path + ".source", original)
            try CopyFiles.writeWhole(path, settings.text)
        }
        return settings.text
    }

    private func makeMain() throws(TidemarkError) -> String {
        var lines = [
            "# Made by `tidemark restore`: the source kept its postgresql.conf outside the data",
            "# directory. What was recorded of it lies beside, as *.source.",
        ]
        for name in ["listen_addresses", "port"] where recorded[name] != nil {
            lines.append("#\(name) = " + SettingsFile.quoted(recorded[name]!))
        }
        let text = lines.joined(separator: "\n") + "\n"
        try CopyFiles.writeWhole(root + "/postgresql.conf", text)
        return text
    }

    private func access(
        _ setting: String, _ name: String, otherwise text: String
    ) throws(TidemarkError) {
        let path = root + "/" + name
        let origin = recorded[setting]
        let found =
            files.first { $0.path == origin } ?? files.first { $0.path.hasSuffix("/" + name) }
        if let found {
            try CopyFiles.writeWhole(path, found.content)
        } else if !CopyFiles.exists(path) {
            try CopyFiles.writeWhole(path, text)
        }
    }

    private func mendAutomatic(main: String) throws(TidemarkError) {
        let path = root + "/postgresql.auto.conf"
        let original = try CopyFiles.read(path) ?? []
        var settings = SettingsFile(String(decoding: original, as: UTF8.self), isMissing: isMissing)
        // A source that was itself restored has a block of its own.
        settings.removeBlock()
        let own = OwnSettings(main: main, automatic: settings.text)
        var lines = RecoverySettings(order: order).lines(own)
        lines += leftovers(main + "\n" + settings.text)
        settings.replaceBlock(lines)
        try CopyFiles.writeWhole(path, settings.text)
    }

    /// Settings whose files or folders belong to the original machine.
    private func leftovers(_ text: String) -> [String] {
        var values: [String: String] = [:]
        for line in text.split(separator: "\n") {
            if let (name, value) = SettingsFile.setting(line) { values[name] = value }
        }
        var lines: [String] = []
        let isOn = ["on", "true", "yes", "1"].contains(values["ssl"]?.lowercased() ?? "off")
        let keys = [
            values["ssl_cert_file"] ?? "server.crt", values["ssl_key_file"] ?? "server.key",
        ]
        if isOn, keys.contains(where: isMissing) { lines.append("ssl = off") }
        if values["log_directory"]?.hasPrefix("/") == true { lines.append("log_directory = 'log'") }
        if values["stats_temp_directory"]?.hasPrefix("/") == true {
            lines.append("stats_temp_directory = 'pg_stat_tmp'")
        }
        return lines
    }

    private func isMissing(_ path: String) -> Bool {
        !CopyFiles.exists(path.hasPrefix("/") ? path : root + "/" + path)
    }
}
