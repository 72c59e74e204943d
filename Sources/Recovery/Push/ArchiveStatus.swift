import Platform

/// What the server notes of its archiver: an empty `archive_status/NAME.done` beside the WAL for
/// each file that archive_command has stored (xlogarchive.c).
package enum ArchiveStatus {
    /// The newest segment that was stored, by the notes beside the file at `path`; nil when there
    /// is none, or no such folder.
    package static func stored(beside path: String) -> String? {
        let folder = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
        let notes = (folder + ["archive_status"]).joined(separator: "/")
        let names = (try? Directory.names(in: notes)) ?? []
        return newest(of: names)
    }

    static func newest(of notes: [String]) -> String? {
        notes.filter { $0.hasSuffix(".done") }.map { String($0.dropLast(5)) }
            .filter { $0.count == 24 && $0.allSatisfy(\.isHexDigit) }.max()
    }
}
