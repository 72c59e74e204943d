/// A restored `postgresql.conf` or `postgresql.auto.conf`, made harmless for a copy.
///
/// A line is `name = value` or `name value`, names in any case, `#` begins a comment
/// (`guc-file.l`). Lines that would reach back to the original server are turned into comments;
/// everything else stays as it was, byte for byte.
struct SettingsFile: Hashable, Sendable {
    static let mark = "#tidemark: "
    static let blockBegin = "# tidemark restore: begin"
    static let blockEnd = "# tidemark restore: end"

    /// Settings that name places or servers of the original, or an older recovery.
    static let dangerous: Set<String> = [
        "data_directory", "config_file", "hba_file", "ident_file", "external_pid_file",
        "primary_conninfo", "primary_slot_name", "promote_trigger_file", "restore_command",
        "archive_cleanup_command", "recovery_end_command", "recovery_target",
        "recovery_target_action", "recovery_target_inclusive", "recovery_target_lsn",
        "recovery_target_name", "recovery_target_time", "recovery_target_timeline",
        "recovery_target_xid",
    ]

    private(set) var text: String
    /// Names of the settings that were turned off.
    private(set) var removed: [String] = []

    /// - Parameter isMissing: whether a file or folder that a line includes does not exist here.
    init(_ original: String, isMissing: (_ path: String) -> Bool) {
        var lines: [String] = []
        for line in original.split(separator: "\n", omittingEmptySubsequences: false) {
            if let name = Self.offending(line, isMissing) {
                lines.append(Self.mark + line)
                removed.append(name)
            } else {
                lines.append(String(line))
            }
        }
        text = lines.joined(separator: "\n")
    }

    /// Appends a marked block, in place of an older one.
    mutating func replaceBlock(_ settings: [String]) {
        removeBlock()
        let block = [Self.blockBegin] + settings + [Self.blockEnd]
        text = (text.isEmpty ? "" : text + "\n") + block.joined(separator: "\n") + "\n"
    }

    /// Takes the marked block out; the text then ends without a newline.
    mutating func removeBlock() {
        var kept: [Substring] = []
        var inside = false
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line == Self.blockBegin { inside = true }
            if !inside { kept.append(line) }
            if line == Self.blockEnd { inside = false }
        }
        while kept.last?.isEmpty == true { kept.removeLast() }
        text = kept.joined(separator: "\n")
    }

    private static func offending(_ line: Substring, _ isMissing: (String) -> Bool) -> String? {
        guard let (name, value) = setting(line) else { return nil }
        if dangerous.contains(name) { return name }
        if name == "include" || name == "include_dir" { return isMissing(value) ? name : nil }
        return nil
    }

    /// Name in lower case and value without quotes; nil for a comment or an empty line.
    static func setting(_ line: Substring) -> (name: String, value: String)? {
        let trimmed = line.drop { $0 == " " || $0 == "\t" }
        let name = trimmed.prefix { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "." }
        guard !name.isEmpty else { return nil }
        let rest = trimmed.dropFirst(name.count).drop { $0 == " " || $0 == "\t" || $0 == "=" }
        return (name.lowercased(), value(rest))
    }

    private static func value(_ text: Substring) -> String {
        guard text.first == "'" else {
            return String(text.prefix { $0 != "#" && $0 != " " && $0 != "\t" && $0 != "\r" })
        }
        var result = ""
        var quoted = false
        for character in text.dropFirst() {
            if quoted {
                if character != "'" { return result }
                result.append(character)
                quoted = false
            } else if character == "'" {
                quoted = true
            } else {
                result.append(character)
            }
        }
        return result
    }

    /// A value as the file takes it: quotes and backslashes doubled.
    static func quoted(_ value: String) -> String {
        var text = "'"
        for character in value {
            if character == "'" || character == "\\" { text.append(character) }
            text.append(character)
        }
        return text + "'"
    }
}
