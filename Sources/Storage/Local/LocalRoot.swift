import Model
import Platform
import Glibc

/// The folder of a local repository: whether it is there, still the same, and what failures mean.
final class LocalRoot: Sendable {
    private struct State: Sendable {
        /// Device and inode of the folder as last seen.
        var identity: FileStatus
        /// Folders known to be durable, so that each is synced once per process, not per object.
        var folders: Set<String> = []
    }

    let path: String
    private let calls: SystemCalls
    private let state: Monitor<State>

    init(_ path: String, create: Bool, _ calls: SystemCalls) throws(TidemarkError) {
        var path = path
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        self.path = path
        self.calls = calls
        do throws(SystemFailure) {
            if create { try Directory.makeAll(path, calls: calls) }
            let status = try calls.inspect(path)
            guard status.isDirectory else { throw SystemFailure(.open, path, ENOTDIR) }
            state = Monitor(State(identity: status))
        } catch {
            throw LocalFailure.error(for: error, root: path)
        }
    }

    /// Throws `repositoryUnreachable` when the folder is gone, or is an empty folder that is not
    /// the one this store has worked in: the mount point after its file system was unmounted.
    func check() throws(TidemarkError) {
        let status = try translating { () throws(SystemFailure) in try calls.inspect(path) }
        let known = state.read { $0.identity }
        if status.isSameFile(as: known) { return }
        let names = try translating { () throws(SystemFailure) in
            try Directory.names(in: path, calls: calls)
        }
        guard names.contains(where: { $0 != "lost+found" }) else {
            throw TidemarkError(
                .repositoryUnreachable, "\(path) has become another folder, and an empty one",
                remedy: "mount the repository's file system again: mount \(path)")
        }
        state.update { $0 = State(identity: status) }
    }

    /// Makes nested folders below the root, durably, one after the other.
    func makeFolders(_ names: [String]) throws(TidemarkError) {
        var folder = path
        for name in names {
            folder += "/" + name
            if state.read({ $0.folders.contains(folder) }) { continue }
            try translating { () throws(SystemFailure) in
                _ = try Directory.make(folder, calls: calls)
            }
            state.update { _ = $0.folders.insert(folder) }
        }
    }

    /// After a file could not be made because its folder is not there: somebody removed it.
    func forgetFolders() { state.update { $0.folders = [] } }

    /// Runs file work and turns its failure into the error of a repository.
    func translating<Value: ~Copyable>(
        _ body: () throws(SystemFailure) -> Value
    ) throws(TidemarkError) -> Value {
        do throws(SystemFailure) {
            return try body()
        } catch {
            throw LocalFailure.error(for: error, root: path)
        }
    }
}
