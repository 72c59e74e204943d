import Model
import Platform

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
        repository.hasPrefix("file://") ? " --repository " + ShellWord.quoted(repository) : ""
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

    /// Brings one source to just before an event; the folder is named for it.
    func undo(_ event: EventID, of source: SourceID) -> String {
        "tidemark restore --to before:\(event) --into ./restored-before-\(event)"
            + " --source \(source)\(archive)"
    }

    var find: String { "tidemark find --around \(moment)\(archive)" }
}
