private import CPlatform
import Glibc

/// An open file, closed when it goes. Positions are always given; there is no cursor.
///
/// Not shared between threads. Nothing is durable before `syncData`, and a new or renamed file not
/// before `Directory.sync` of its directory.
package struct File: ~Copyable {
    /// How a file is opened.
    package enum Access: Sendable {
        case reading
        /// Must not exist.
        case creating
        /// Made when it does not exist, kept when it does; read and write.
        case updating
        /// Emptied or made.
        case replacing

        fileprivate var flags: Int32 {
            switch self {
            case .reading: O_RDONLY
            case .creating: O_RDWR | O_CREAT | O_EXCL
            case .updating: O_RDWR | O_CREAT
            case .replacing: O_RDWR | O_CREAT | O_TRUNC
            }
        }
    }

    package let path: String
    private let descriptor: Int32
    private let calls: SystemCalls
    private var isLocked = false

    /// - Parameters:
    ///   - mode: permission bits of a new file, less the umask. Default 0640.
    ///   - direct: past the page cache (O_DIRECT): addresses, offsets and lengths of all writes
    ///     must be multiples of 4096. EINVAL where the file system cannot.
    package init(
        _ path: String, _ access: Access, mode: Int32 = 0o640, direct: Bool = false,
        calls: SystemCalls = .init()
    ) throws(SystemFailure) {
        descriptor = try calls.open(path, access.flags, mode: mode, direct: direct)
        self.path = path
        self.calls = calls
    }

    deinit {
        // Given back by word, not by closing: a child that is just being started has a copy of the
        // descriptor until it runs its program, and would hold the lock for that long.
        if isLocked { tm_unlock(descriptor) }
        Glibc.close(descriptor)
    }

    package func status() throws(SystemFailure) -> FileStatus {
        try calls.inspect(descriptor, path)
    }

    /// Reads up to `limit` bytes at `offset`; fewer only at the end of the file.
    package func read(at offset: UInt64, _ limit: Int) throws(SystemFailure) -> [UInt8] {
        var failure: SystemFailure?
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: limit) { buffer, filled in
            do throws(SystemFailure) {
                filled = try unsafe fill(UnsafeMutableRawBufferPointer(buffer), at: offset)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }

    private func fill(
        _ buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(SystemFailure) -> Int {
        var filled = 0
        while filled < buffer.count {
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
            let count = try unsafe calls.read(
                descriptor, path, at: offset + UInt64(filled), into: rest)
            if count == 0 { break }
            filled += count
        }
        return filled
    }

    /// Writes all bytes at `offset`. After an error some of them may be there.
    package func write(at offset: UInt64, _ bytes: RawSpan) throws(SystemFailure) {
        try unsafe bytes.withUnsafeBytes { (all) throws(SystemFailure) in
            var done = 0
            while done < all.count {
                done += try unsafe calls.write(
                    descriptor, path, at: offset + UInt64(done),
                    UnsafeRawBufferPointer(rebasing: all[done...]))
            }
        }
    }

    /// fdatasync: content and size are durable when it returns. After an error the kernel may have
    /// forgotten what it could not write: a second call that succeeds proves nothing.
    package func syncData() throws(SystemFailure) { try calls.syncData(descriptor, path) }

    package func truncate(_ size: UInt64) throws(SystemFailure) {
        try calls.truncate(descriptor, path, size)
    }

    /// Reserves blocks; with `keepSize` behind the end, without growing the file.
    package func allocate(
        at offset: UInt64, _ length: UInt64, keepSize: Bool
    ) throws(SystemFailure) {
        try calls.allocate(descriptor, path, at: offset, length, keepSize: keepSize)
    }

    /// Takes the exclusive flock; EWOULDBLOCK when another opener has it. Given back by closing.
    package mutating func lock() throws(SystemFailure) {
        try calls.lock(descriptor, path)
        isLocked = true
    }

    /// Tells the kernel that the file will be read from front to back.
    package func adviseSequential() {
        // Advice only: a file system that does not take it reads a little slower.
        posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL)
    }

    /// Tells the kernel that what was written there should go to the disk now: it goes while other
    /// work is done, and `syncData` has less to wait for.
    package func adviseWritten(at offset: UInt64, _ length: UInt64) {
        Writeback.start(descriptor, at: offset, length)
    }

    /// Tells the kernel that nobody here will read the file soon: its clean pages serve others.
    package func adviseUnneeded() {
        // Advice only, as above.
        posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED)
    }
}
