import Glibc
import Model

/// The file-system calls of a restore, with errors that say what to do.
enum CopyFiles {
    static func makeFolder(_ path: String) throws(TidemarkError) {
        if unsafe mkdir(path, 0o700) == 0 || errno == EEXIST { return }
        guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
            throw failure("cannot make the folder \(path)")
        }
        try makeFolder(String(path[..<slash]))
        if unsafe mkdir(path, 0o700) != 0, errno != EEXIST {
            throw failure("cannot make the folder \(path)")
        }
    }

    /// Opens a new file for writing; an old one of the name is emptied.
    static func create(_ path: String) throws(TidemarkError) -> Int32 {
        let flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW
        var file = unsafe open(path, flags, 0o600)
        if file < 0, errno == ENOENT, let slash = path.lastIndex(of: "/") {
            try makeFolder(String(path[..<slash]))
            file = unsafe open(path, flags, 0o600)
        }
        if file < 0 { throw failure("cannot write \(path)") }
        return file
    }

    static func write(_ file: Int32, _ bytes: RawSpan, _ path: String) throws(TidemarkError) {
        var done = 0
        while done < bytes.byteCount {
            let count = unsafe bytes.extracting(done..<bytes.byteCount).withUnsafeBytes {
                unsafe Glibc.write(file, $0.baseAddress, $0.count)
            }
            if count < 0, errno == EINTR { continue }
            if count <= 0 { throw failure("cannot write \(path)") }
            done += count
        }
    }

    static func writeWhole(_ path: String, _ content: [UInt8]) throws(TidemarkError) {
        let file = try create(path)
        defer { Glibc.close(file) }
        unsafe try write(file, content.span.bytes, path)
    }

    static func writeWhole(_ path: String, _ content: String) throws(TidemarkError) {
        try writeWhole(path, Array(content.utf8))
    }

    /// Content of a small file; nil when there is none.
    static func read(_ path: String, limit: Int = 16 << 20) throws(TidemarkError) -> [UInt8]? {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        if file < 0 {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw failure("cannot read \(path)")
        }
        defer { Glibc.close(file) }
        var content: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65536)
        while content.count <= limit {
            let count = unsafe piece.withUnsafeMutableBytes {
                unsafe Glibc.read(file, $0.baseAddress, $0.count)
            }
            if count < 0, errno == EINTR { continue }
            if count < 0 { throw failure("cannot read \(path)") }
            if count == 0 { return content }
            content += piece[..<count]
        }
        throw TidemarkError(.failed, "\(path) is larger than such a file can be")
    }

    static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

    static func rename(_ from: String, _ to: String) throws(TidemarkError) {
        if unsafe Glibc.rename(from, to) != 0 { throw failure("cannot rename \(from)") }
    }

    /// Names in a folder, without `.` and `..`; nil when there is no such folder.
    static func names(_ path: String) throws(TidemarkError) -> [String]? {
        guard let folder = unsafe opendir(path) else {
            if errno == ENOENT { return nil }
            throw failure("cannot read the folder \(path)")
        }
        defer { unsafe closedir(folder) }
        var names: [String] = []
        while let entry = unsafe readdir(folder) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) {
                    unsafe String(cString: $0)
                }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Removes a file, a link, or a folder with everything in it. Links are never followed.
    static func removeTree(_ path: String) throws(TidemarkError) {
        var facts = stat()
        guard unsafe lstat(path, &facts) == 0 else { return }
        if facts.st_mode & S_IFMT == S_IFDIR {
            for name in try names(path) ?? [] { try removeTree(path + "/" + name) }
            if unsafe rmdir(path) != 0 { throw failure("cannot remove \(path)") }
        } else if unsafe unlink(path) != 0 {
            throw failure("cannot remove \(path)")
        }
    }

    static func failure(_ what: String) -> TidemarkError {
        let number = errno
        let reason = unsafe String(cString: strerror(number))
        let remedy =
            switch number {
            case ENOSPC, EDQUOT: "free space there or choose another destination with --into"
            case EACCES, EPERM, EROFS:
                "give the user that runs the restore the right to write there (--user)"
            default: ""
            }
        return TidemarkError(.failed, "\(what): \(reason)", remedy: remedy)
    }
}
