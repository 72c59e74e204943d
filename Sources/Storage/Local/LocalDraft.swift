import Model
import Platform
import Glibc

/// A file on its way into the repository: written under a temporary name, then published at once.
///
/// Small ones are one buffered write. From 1 MiB on, content goes past the page cache in aligned
/// blocks of 1 MiB where the file system can (filling fresh pages is the chief cost of buffered
/// writing); what is left at the end is written buffered. The lock on the open file tells `sweep`,
/// in this and every other process, that somebody still writes.
final class LocalDraft {
    private static let blockSize = 1 << 20
    /// Space is reserved in steps, so that the file system need not grow the file at every write.
    private static let reserveStep: UInt64 = 64 << 20

    private let target: String
    private let root: LocalRoot
    private let calls: SystemCalls
    private var temporary = ""
    private var file: File?
    /// The same file past the page cache; nil before the first block and where it cannot be had.
    private var direct: File?
    private var triesDirect = true
    private var reserves = true
    private let buffer = AlignedBuffer(capacity: LocalDraft.blockSize)
    private var written: UInt64 = 0
    private var reserved: UInt64 = 0

    init(
        target: String, _ names: TemporaryNames, _ root: LocalRoot, _ calls: SystemCalls
    ) throws(TidemarkError) {
        self.target = target
        self.root = root
        self.calls = calls
        try root.translating { () throws(SystemFailure) in try open(names) }
    }

    deinit { abandon() }

    private func open(_ names: TemporaryNames) throws(SystemFailure) {
        while true {
            let name = Directory.parent(target) + "/" + names.next()
            do throws(SystemFailure) {
                var opened = try File(name, .creating, calls: calls)
                temporary = name
                try opened.lock()
                file = consume opened
                return
            } catch let error where error.number == EEXIST {
                continue
            } catch {
                if error.isAbsence { root.forgetFolders() }
                abandon()
                throw error
            }
        }
    }

    /// Takes bytes; they may still lie in the buffer when it returns.
    func write(_ bytes: RawSpan) throws(TidemarkError) {
        precondition(file != nil, "an object is not written after it was finished or aborted")
        try root.translating { () throws(SystemFailure) in
            var offset = 0
            while offset < bytes.byteCount {
                offset += buffer.fill(bytes.extracting(offset..<bytes.byteCount))
                if buffer.isFull { try writeBlock() }
            }
        }
    }

    /// Makes the content durable and gives it its name. False, and nothing stored, when the target
    /// exists and may not be replaced. The draft is used up.
    @discardableResult
    func publish(replacing: Bool) throws(TidemarkError) -> Bool {
        precondition(file != nil, "an object is not finished twice")
        defer { abandon() }
        return try root.translating { () throws(SystemFailure) in
            try complete()
            do throws(SystemFailure) {
                if replacing {
                    try calls.rename(temporary, target)
                } else {
                    try calls.renameNew(temporary, target)
                }
            } catch let error where error.number == EEXIST {
                return false
            }
            temporary = ""
            try Directory.sync(Directory.parent(target), calls: calls)
            return true
        }
    }

    /// Throws everything away, unless it was published; idempotent.
    func abandon() {
        file = nil
        direct = nil
        guard !temporary.isEmpty else { return }
        let name = temporary
        temporary = ""
        do throws(SystemFailure) {
            try calls.remove(name)
        } catch {
            // It stays behind as a temporary file, which `sweep` removes.
        }
    }
}

extension LocalDraft {
    private func writeBlock() throws(SystemFailure) {
        reserve()
        if triesDirect {
            triesDirect = false
            try withoutDirect { () throws(SystemFailure) in
                direct = try File(temporary, .updating, direct: true, calls: calls)
            }
        }
        if direct != nil {
            let done = try withoutDirect { () throws(SystemFailure) in
                try buffer.withBytes { (bytes) throws(SystemFailure) in
                    try direct!.write(at: written, bytes)
                }
            }
            if done { return advance() }
        }
        try writeBuffered()
    }

    private func writeBuffered() throws(SystemFailure) {
        try buffer.withBytes { (bytes) throws(SystemFailure) in
            try file!.write(at: written, bytes)
        }
        advance()
    }

    /// False when the file system cannot write past the page cache (EINVAL): then it is not tried
    /// again. Some say so when the file is opened, some at the first write.
    @discardableResult
    private func withoutDirect(
        _ body: () throws(SystemFailure) -> Void
    ) throws(SystemFailure) -> Bool {
        do throws(SystemFailure) {
            try body()
            return true
        } catch let error where error.number == EINVAL {
            direct = nil
            return false
        }
    }

    private func advance() {
        written += UInt64(buffer.count)
        buffer.empty()
    }

    private func reserve() {
        guard reserves, written + UInt64(buffer.count) > reserved else { return }
        do throws(SystemFailure) {
            try file!.allocate(at: reserved, Self.reserveStep, keepSize: false)
            reserved += Self.reserveStep
        } catch {
            // Reserving only saves time. Whether there is room for the content, its write tells.
            reserves = false
        }
    }

    private func complete() throws(SystemFailure) {
        if buffer.count > 0 { try writeBuffered() }
        if try file!.status().size != written { try file!.truncate(written) }
        try file!.syncData()
    }

    /// Removes a temporary file that nobody writes any more.
    static func removeAbandoned(
        _ path: String, modifiedBefore limit: CommitTime, _ calls: SystemCalls
    ) throws(SystemFailure) {
        var file = try File(path, .reading, calls: calls)
        guard try file.status().modified < limit else { return }
        do throws(SystemFailure) {
            try file.lock()
        } catch let error where error.number == EWOULDBLOCK {
            return
        }
        try calls.remove(path)
    }
}
