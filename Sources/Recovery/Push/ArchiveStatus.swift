import Glibc
package import Model
import Platform

/// What the server notes of its archiver: an empty `archive_status/NAME.done` beside the WAL for
/// each file that archive_command has stored (xlogarchive.c).
package enum ArchiveStatus {
    /// The newest segment that was stored, by the notes beside the file at `path`; nil when there
    /// is none, or no such folder. Throws `failed` when the folder cannot be read.
    package static func stored(beside path: String) throws(TidemarkError) -> String? {
        let folder = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
        let notes = (folder + ["archive_status"]).joined(separator: "/")
        do throws(SystemFailure) {
            return newest(of: try Directory.names(in: notes))
        } catch let error where error.number == ENOENT {
            return nil
        } catch {
            throw TidemarkError(
                .failed,
                "cannot read \(notes), which tells a new archive from one that is not mounted: "
                    + error.reason,
                remedy: "run `wal push` as the server's own user, as archive_command does")
        }
    }

    static func newest(of notes: [String]) -> String? {
        notes.filter { $0.hasSuffix(".done") }.map { String($0.dropLast(5)) }
            .filter { $0.count == 24 && $0.allSatisfy(\.isHexDigit) }.max()
    }
}
