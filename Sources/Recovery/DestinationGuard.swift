import Glibc
import Model
import Platform

/// Keeps a restore from writing over an archive, the one it reads or another, and into the data
/// directory of a server.
///
/// Compared are files, not names: a link, a second mount or a relative path leads to the same
/// device and inode. Nothing is written here.
struct DestinationGuard {
    /// Absolute path of the repository's folder; nil where it is no folder of this machine.
    let repository: String?
    /// Names of files that only the data directory of a server holds.
    var dataDirectoryMarks: [String] = []
    private let calls = SystemCalls()

    /// Refuses a place in, equal to or above an archive, and one in a data directory. Whether a
    /// data directory itself may be replaced is its room's to say.
    func check(_ destination: String) throws(TidemarkError) {
        let chain = try translated { () throws(SystemFailure) in try above(destination) }
        if let repository {
            let archive = try translated { () throws(SystemFailure) in try above(repository) }
            if let root = archive.first, chain.contains(where: { $0.isSame(as: root) }) {
                throw refusal(destination, "lies in the repository \(repository)")
            }
            // Only a folder that exists can hold the repository.
            if let first = chain.first, first.path == destination,
                archive.contains(where: { $0.isSame(as: first) })
            {
                throw refusal(destination, "holds the repository \(repository)")
            }
        }
        for folder in chain {
            if Self.holds(Self.marker, folder) {
                throw refusal(destination, "lies in the archive \(folder.path)")
            }
            if folder.path != destination,
                dataDirectoryMarks.contains(where: { Self.holds($0, folder) })
            {
                throw refusal(destination, "lies in a server's data directory, \(folder.path)")
            }
        }
    }

    private static func holds(_ name: String, _ folder: Folder) -> Bool {
        let path = folder.path + (folder.path == "/" ? "" : "/") + name
        return unsafe access(path, F_OK) == 0
    }

    /// Refuses two sources in one place, or one inside the other. Places are absolute paths, or
    /// URLs of live servers.
    static func checkApart(
        _ places: [(source: SourceID, place: String)]
    ) throws(TidemarkError) {
        for (index, one) in places.enumerated() {
            for other in places[..<index]
            where (one.place + "/").hasPrefix(other.place + "/")
                || (other.place + "/").hasPrefix(one.place + "/")
            {
                throw TidemarkError(
                    .usage,
                    "\(other.source) and \(one.source) would be restored into the same place, "
                        + one.place,
                    remedy: "name a place of its own for each: --into \(one.source)=DIR")
            }
        }
    }

    private static let marker = "tidemark.json"

    private struct Folder {
        var path: String
        var status: FileStatus

        func isSame(as other: Folder) -> Bool { status.isSameFile(as: other.status) }
    }

    /// The nearest folder that exists, as given, and every folder above its real path.
    private func above(_ path: String) throws(SystemFailure) -> [Folder] {
        var nearest = path
        var status = try inspected(nearest)
        while status == nil, nearest != "/", nearest != "." {
            nearest = Directory.parent(nearest)
            status = try inspected(nearest)
        }
        guard let status else { return [] }
        var folders = [Folder(path: nearest, status: status)]
        var real = Self.real(nearest)
        while real != "/", real != "." {
            real = Directory.parent(real)
            if let status = try inspected(real) {
                folders.append(Folder(path: real, status: status))
            }
        }
        return folders
    }

    private static func real(_ path: String) -> String {
        guard let found = unsafe realpath(path, nil) else { return path }
        defer { unsafe free(found) }
        return unsafe String(cString: found)
    }

    private func inspected(_ path: String) throws(SystemFailure) -> FileStatus? {
        do throws(SystemFailure) {
            return try calls.inspect(path)
        } catch let error where error.isAbsence {
            return nil
        }
    }

    private func refusal(_ destination: String, _ what: String) -> TidemarkError {
        TidemarkError(
            .destinationOccupied, "the destination \(destination) \(what)",
            remedy: "choose a folder outside of every archive and data directory with --into; "
                + "--force does not change this")
    }
}
