import Model
import Platform

/// The folder that an export fills.
final class ExportFolder {
    private let path: String
    private let progress: @Sendable (UInt64) -> Void
    /// Whether this export made it.
    private let isNew: Bool
    /// Absolute paths of what is finished.
    private(set) var files: [String] = []
    private(set) var bytes: UInt64 = 0

    /// Makes the folder where it is missing.
    init(
        _ path: String, _ progress: @escaping @Sendable (UInt64) -> Void
    ) throws(TidemarkError) {
        self.path = path
        self.progress = progress
        do throws(SystemFailure) {
            _ = try Directory.names(in: path)
            isNew = false
        } catch let error where error.isAbsence {
            isNew = true
        } catch {
            throw error.asTidemarkError
        }
        try translated { () throws(SystemFailure) in try Directory.makeAll(path) }
    }

    /// A file that gets its name when it is finished. Slashes would lead out of the folder.
    func create(_ name: String) throws(TidemarkError) -> ExportedFile {
        guard !name.isEmpty, !name.contains("/"), name != ".." else {
            throw TidemarkError(
                .archiveDamaged, "the archive names a file \(name)",
                remedy: "run `tidemark verify --deep`")
        }
        let before = bytes
        return try ExportedFile(path + "/" + name) { [progress] in progress(before + $0) }
    }

    func finish(_ file: ExportedFile) throws(TidemarkError) {
        try file.finish()
        files.append(file.path)
        bytes += file.size
    }

    /// After a failure: an empty folder of this export's own making says nothing to anybody. Best
    /// effort, since the failure is what has to be told.
    func abandon() {
        guard isNew, let names = try? Directory.names(in: path), names.isEmpty else { return }
        try? Directory.removeAll(path)
    }

    /// Makes the names durable.
    func sync() throws(TidemarkError) {
        let path = path
        try translated { () throws(SystemFailure) in try Directory.sync(path) }
    }
}

/// One file of an export, being written.
final class ExportedFile {
    let path: String
    private let file: File
    private let progress: (UInt64) -> Void
    private var isFinished = false
    private(set) var size: UInt64 = 0

    private var temporary: String { path + Self.suffix }
    private static let suffix = ".tidemark-unfinished"

    init(_ path: String, _ progress: @escaping (UInt64) -> Void) throws(TidemarkError) {
        self.path = path
        self.progress = progress
        do throws(SystemFailure) {
            file = try File(path + Self.suffix, .replacing)
        } catch {
            throw error.asTidemarkError
        }
    }

    deinit {
        // Best effort: what stays behind does not look like a whole file.
        if !isFinished { try? SystemCalls().remove(temporary) }
    }

    func append(_ bytes: RawSpan) throws(TidemarkError) {
        do throws(SystemFailure) {
            try file.write(at: size, bytes)
        } catch {
            throw error.asTidemarkError
        }
        size += UInt64(bytes.byteCount)
        progress(size)
    }

    /// Shortens it, or lengthens it with zeros.
    func cut(to length: UInt64) throws(TidemarkError) {
        do throws(SystemFailure) {
            try file.truncate(length)
        } catch {
            throw error.asTidemarkError
        }
        size = length
    }

    fileprivate func finish() throws(TidemarkError) {
        do throws(SystemFailure) {
            try file.syncData()
            try SystemCalls().rename(temporary, path)
        } catch {
            throw error.asTidemarkError
        }
        isFinished = true
    }
}
