import Model

/// Commands to be copied from the dashboard into a shell.
struct CommandWords {
    /// URL without anything secret.
    let repository: String
    let at: CommitTime

    private var moment: String {
        at.text(fractionDigits: at.microseconds % 1000 == 0 ? 3 : 6)
    }

    /// The option that names the archive. Only a folder is named: the URL of a bucket holds
    /// secrets, which are in the configuration.
    private var archive: String {
        repository.hasPrefix("file://") ? " --repository " + Self.word(repository) : ""
    }

    /// Nil when there is nothing to restore.
    ///
    /// The sources are named, since the archive may hold more than are configured; the folder is
    /// named for the moment, since it must be empty.
    func restore(_ sources: [SourceID]) -> String? {
        guard !sources.isEmpty else { return nil }
        let chosen = sources.map { " --source \($0)" }.joined()
        let folder = at.text(fractionDigits: 0).filter { $0 != "-" && $0 != ":" }
        return "tidemark restore --to \(moment) --into ./restored-\(folder)\(chosen)\(archive)"
    }

    var find: String { "tidemark find --around \(moment)\(archive)" }

    /// As a shell takes it for one word.
    private static func word(_ text: String) -> String {
        let isPlain = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: "/:._-+=,@".utf8.contains(byte)
            }
        }
        if isPlain, !text.isEmpty { return text }
        let parts = text.split(separator: "'", omittingEmptySubsequences: false)
        return "'" + parts.joined(separator: "'\\''") + "'"
    }
}
