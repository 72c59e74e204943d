private import CPlatform
import Glibc

/// The one gate to the file system: every call of `File` and `Directory` passes here, is repeated
/// when a signal interrupts it, and can be made to fail by a test.
package struct SystemCalls: Sendable {
    private let faults: SystemFaults?

    /// - Parameter faults: for tests; nil costs one comparison per call.
    package init(faults: SystemFaults? = nil) { self.faults = faults }

    /// Runs one call. `body` returns -1 and sets errno on failure.
    @inline(__always)
    private func perform<Number: SignedInteger>(
        _ call: SystemCall, _ path: String, _ body: () -> Number
    ) throws(SystemFailure) -> Number {
        if let faults, let number = faults.take(call, path) {
            throw SystemFailure(call, path, number)
        }
        while true {
            let result = body()
            if result >= 0 { return result }
            let number = errno
            if number != EINTR { throw SystemFailure(call, path, number) }
        }
    }

    // MARK: descriptors

    func open(
        _ path: String, _ flags: Int32, mode: Int32 = 0, direct: Bool = false
    ) throws(SystemFailure) -> Int32 {
        try perform(.open, path) { unsafe tm_open(path, flags, mode, direct ? 1 : 0) }
    }

    func read(
        _ descriptor: Int32, _ path: String, at offset: UInt64,
        into buffer: UnsafeMutableRawBufferPointer
    ) throws(SystemFailure) -> Int {
        try perform(.read, path) {
            unsafe pread(descriptor, buffer.baseAddress, buffer.count, off_t(offset))
        }
    }

    /// Writes some of the bytes; returns how many.
    func write(
        _ descriptor: Int32, _ path: String, at offset: UInt64, _ bytes: UnsafeRawBufferPointer
    ) throws(SystemFailure) -> Int {
        let count = min(bytes.count, faults?.writeLimit ?? .max)
        return try perform(.write, path) {
            unsafe pwrite(descriptor, bytes.baseAddress, count, off_t(offset))
        }
    }

    func syncData(_ descriptor: Int32, _ path: String) throws(SystemFailure) {
        _ = try perform(.sync, path) { fdatasync(descriptor) }
    }

    func sync(_ descriptor: Int32, _ path: String) throws(SystemFailure) {
        _ = try perform(.sync, path) { fsync(descriptor) }
    }

    func truncate(
        _ descriptor: Int32, _ path: String, _ size: UInt64
    ) throws(SystemFailure) {
        _ = try perform(.truncate, path) { ftruncate(descriptor, off_t(size)) }
    }

    func allocate(
        _ descriptor: Int32, _ path: String, at offset: UInt64, _ length: UInt64, keepSize: Bool
    ) throws(SystemFailure) {
        _ = try perform(.allocate, path) {
            tm_fallocate(descriptor, keepSize ? 1 : 0, Int64(offset), Int64(length))
        }
    }

    func lock(_ descriptor: Int32, _ path: String) throws(SystemFailure) {
        _ = try perform(.lock, path) { tm_lock_exclusive(descriptor) }
    }

    func inspect(_ descriptor: Int32, _ path: String) throws(SystemFailure) -> FileStatus {
        var status = stat()
        _ = try perform(.inspect, path) { unsafe fstat(descriptor, &status) }
        return FileStatus(status)
    }

    // MARK: paths

    /// Follows symbolic links.
    package func inspect(_ path: String) throws(SystemFailure) -> FileStatus {
        var status = stat()
        _ = try perform(.inspect, path) { unsafe stat(path, &status) }
        return FileStatus(status)
    }

    /// Follows symbolic links; asks for nothing that would make the file's next write dearer.
    package func identify(_ path: String) throws(SystemFailure) -> FileIdentity {
        var device: UInt64 = 0
        var inode: UInt64 = 0
        // A String handed over as it is would be copied first; this is asked at every commit.
        _ = try perform(.inspect, path) {
            unsafe path.withCString { unsafe tm_identify($0, &device, &inode) }
        }
        return FileIdentity(device: device, inode: inode)
    }

    /// Replaces the target.
    package func rename(_ from: String, _ to: String) throws(SystemFailure) {
        _ = try perform(.rename, to) { unsafe Glibc.rename(from, to) }
    }

    /// Fails with EEXIST when the target exists, in one step, also where the file system does not
    /// know RENAME_NOREPLACE (NFS and others answer EINVAL).
    package func renameNew(_ from: String, _ to: String) throws(SystemFailure) {
        do throws(SystemFailure) {
            _ = try perform(.rename, to) { unsafe tm_rename_noreplace(from, to) }
        } catch {
            guard error.number == EINVAL || error.number == ENOSYS else { throw error }
            _ = try perform(.link, to) { unsafe Glibc.link(from, to) }
            try remove(from)
        }
    }

    package func remove(_ path: String) throws(SystemFailure) {
        _ = try perform(.remove, path) { unsafe unlink(path) }
    }

    func removeDirectory(_ path: String) throws(SystemFailure) {
        _ = try perform(.remove, path) { unsafe rmdir(path) }
    }

    func makeDirectory(_ path: String, mode: UInt32) throws(SystemFailure) {
        _ = try perform(.makeDirectory, path) { unsafe mkdir(path, mode) }
    }

    /// Names in a directory in no order, without `.` and `..`; names that are not UTF-8 are left
    /// out.
    func names(in path: String) throws(SystemFailure) -> [String] {
        if let faults, let number = faults.take(.list, path) {
            throw SystemFailure(.list, path, number)
        }
        guard let folder = unsafe opendir(path) else { throw SystemFailure(.list, path, errno) }
        defer { unsafe closedir(folder) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = unsafe readdir(folder) else {
                if errno != 0 { throw SystemFailure(.list, path, errno) }
                return names
            }
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                unsafe String(validating: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if let name, name != ".", name != ".." { names.append(name) }
        }
    }
}
