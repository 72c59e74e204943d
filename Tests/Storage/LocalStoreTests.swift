import Glibc
import Model
import Platform
import Storage
import TestKit
import Testing

@Suite struct LocalStoreTests {
    /// A store in a scratch directory, with the faults that rule it.
    private struct Bench: Sendable {
        let scratch: ScratchDirectory
        let faults = SystemFaults()
        let store: LocalStore

        init() throws {
            scratch = try ScratchDirectory()
            store = try LocalStore(path: scratch.path, createRoot: false, faults: faults)
        }

        func leftovers() throws -> String {
            try Subprocess.run("find", [scratch.path, "-name", ".tmp-*"], seconds: 10).output
        }
    }

    private func check(
        _ code: TidemarkError.Code, _ words: String, _ body: () throws -> Void,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let error = #expect(
            throws: TidemarkError.self, sourceLocation: sourceLocation, performing: body)
        #expect(error?.code == code, sourceLocation: sourceLocation)
        let text = error?.description ?? ""
        #expect(text.contains(words), "\(text)", sourceLocation: sourceLocation)
    }

    @Test func `an object is written, synced, renamed, and its folder synced, in this order`()
        async throws
    {
        try await offPool {
            let bench = try Bench()
            try bench.store.put(ObjectKey("a/first"), [1], .create)
            bench.faults.clear()
            try bench.store.put(ObjectKey("a/second"), [1], .create)
            let root = bench.scratch.path
            let steps = bench.faults.trace.filter { $0.call != .inspect && $0.call != .allocate }
            #expect(
                steps.map(\.call) == [.open, .open, .lock, .write, .sync, .rename, .open, .sync])
            #expect(steps[4].path.hasPrefix(root + "/a/.tmp-"))
            #expect(steps[5].path == root + "/a/second")
            #expect(steps[7].path == root + "/a")
        }
    }

    @Test func `each new folder is made durable before the object in it`() async throws {
        try await offPool {
            let bench = try Bench()
            bench.faults.clear()
            try bench.store.put(ObjectKey("a/b/c"), [1], .replace)
            let root = bench.scratch.path
            let synced = bench.faults.trace.filter { $0.call == .sync }.map(\.path)
            #expect(synced.first == root)
            #expect(synced[1] == root + "/a")
            #expect(synced.last == root + "/a/b")
        }
    }

    @Test(arguments: [SystemCall.open, .lock, .write, .sync, .rename])
    func `a step that fails leaves nothing, and the next try succeeds`(
        _ call: SystemCall
    ) async throws {
        try await offPool {
            let bench = try Bench()
            let key = ObjectKey("a/b")
            try bench.store.put(ObjectKey("a/other"), [1], .create)
            // The first opening looks for an old object; the second makes the new one.
            bench.faults.fail(call, with: EIO, skipping: call == .open ? 1 : 0)
            check(.repositoryUnreachable, "Input/output error") {
                try bench.store.put(key, [1, 2], .create)
            }
            #expect(try bench.store.size(key) == nil)
            #expect(try bench.leftovers() == "")
            try bench.store.put(key, [1, 2], .create)
            #expect(try bench.store.size(key) == 2)
        }
    }

    @Test func `when the folder cannot be synced the caller learns that nothing is sure`()
        async throws
    {
        try await offPool {
            let bench = try Bench()
            try bench.store.put(ObjectKey("a/other"), [1], .create)
            bench.faults.fail(.sync, with: EIO, skipping: 1)
            check(.repositoryUnreachable, "/a (Input/output error)") {
                try bench.store.put(ObjectKey("a/b"), [1], .create)
            }
            // The same again: it is there, so only its folder is synced.
            bench.faults.clear()
            try bench.store.put(ObjectKey("a/b"), [1], .create)
            #expect(bench.faults.trace.contains { $0.call == .sync && $0.path.hasSuffix("/a") })
        }
    }

    @Test(arguments: [
        (ENOSPC, TidemarkError.Code.repositoryFull, "free space"),
        (EDQUOT, .repositoryFull, "quota"), (EROFS, .repositoryReadOnly, "remount,rw"),
        (EACCES, .repositoryReadOnly, "chown"), (EPERM, .repositoryReadOnly, "chown"),
        (EIO, .repositoryUnreachable, "dmesg"), (ESTALE, .repositoryUnreachable, "file server"),
        (ENODEV, .repositoryUnreachable, "disk"), (EMFILE, .failed, "ulimit -n"),
        (ENAMETOOLONG, .failed, "file system"),
    ])
    func `every errno has its error and remedy`(
        _ row: (number: Int32, code: TidemarkError.Code, words: String)
    ) async throws {
        try await offPool {
            let bench = try Bench()
            bench.faults.fail(.write, with: row.number)
            check(row.code, row.words) { try bench.store.put(ObjectKey("k"), [1], .replace) }
            bench.faults.fail(.sync, with: row.number, path: ".partial")
            let file = try bench.store.openAppendable(ObjectKey("k.partial"))
            check(row.code, row.words) { try file.sync() }
        }
    }

    @Test func `a disk that fills up in the middle of a large object leaves nothing`() async throws
    {
        try await offPool {
            let bench = try Bench()
            let writer = try bench.store.create(ObjectKey("base/data"))
            bench.faults.fail(.write, with: ENOSPC, skipping: 2)
            let block = [UInt8](repeating: 1, count: 1 << 20)
            try writer.write(block)
            try writer.write(block)
            check(.repositoryFull, "the repository is full: cannot write") {
                try writer.write(block)
            }
            writer.abort()
            #expect(try bench.leftovers() == "")
        }
    }

    @Test func `writes that take only some of the bytes are gone on with`() async throws {
        try await offPool {
            let bench = try Bench()
            bench.faults.limitWrites(to: 4096)
            let bytes = [UInt8]((0..<100_000).map { UInt8(truncatingIfNeeded: $0 / 3) })
            try bench.store.put(ObjectKey("k"), bytes, .replace)
            let reader = try bench.store.open(ObjectKey("k"), at: 0)
            #expect(try reader.read(200_000) == bytes)
        }
    }

    @Test(arguments: [SystemCall.open, .write])
    func `where the page cache cannot be passed by, writing is buffered`(
        _ call: SystemCall
    ) async throws {
        try await offPool {
            let bench = try Bench()
            var random = SeededRandom(seed: 3)
            let bytes = random.bytes(3_500_000)
            let writer = try bench.store.create(ObjectKey("k"))
            bench.faults.fail(call, with: EINVAL)
            try writer.write(bytes)
            try writer.finish()
            let reader = try bench.store.open(ObjectKey("k"), at: 0)
            #expect(try reader.read(4_000_000) == bytes)
        }
    }

    @Test func `space that cannot be reserved is no error`() async throws {
        try await offPool {
            let bench = try Bench()
            bench.faults.fail(.allocate, with: EOPNOTSUPP, times: 10)
            let writer = try bench.store.create(ObjectKey("k"))
            try writer.write([UInt8](repeating: 1, count: 2 << 20))
            try writer.finish()
            let file = try bench.store.openAppendable(ObjectKey("p"))
            file.reserve(16 << 20)
            #expect(try bench.store.size(ObjectKey("k")) == 2 << 20)
        }
    }

    @Test func `a file system without RENAME_NOREPLACE still never overwrites`() async throws {
        try await offPool {
            let bench = try Bench()
            bench.faults.fail(.rename, with: EINVAL, times: 100)
            try bench.store.put(ObjectKey("k"), [1], .create)
            check(.contentConflict, "already holds other bytes") {
                try bench.store.put(ObjectKey("k"), [2], .create)
            }
            let file = try bench.store.openAppendable(ObjectKey("p"))
            try file.seal(as: ObjectKey("q"))
            #expect(try bench.store.list("").map(\.key.path) == ["k", "q"])
            #expect(try bench.leftovers() == "")
        }
    }

    @Test func `after a failed sync the handle only fails, and opening anew makes it true`()
        async throws
    {
        try await offPool {
            let bench = try Bench()
            let key = ObjectKey("k.partial")
            let file = try bench.store.openAppendable(key)
            try file.write(at: 0, ([1, 2, 3] as [UInt8]).span.bytes)
            bench.faults.fail(.sync, with: EIO)
            check(.repositoryUnreachable, "sync") { try file.sync() }
            check(.repositoryUnreachable, "sync") { try file.sync() }
            check(.repositoryUnreachable, "sync") { try file.seal(as: ObjectKey("sealed")) }
            file.close()
            bench.faults.clear()
            let again = try bench.store.openAppendable(key)
            #expect(again.size == 3)
            let calls = bench.faults.trace.filter { $0.path.hasSuffix("k.partial") }.map(\.call)
            #expect(calls.contains(.write))
            #expect(calls.last == .sync)
        }
    }

    @Test func `a second opener is refused with the remedy, in this process and in another`()
        async throws
    {
        try await offPool {
            let bench = try Bench()
            let file = try bench.store.openAppendable(ObjectKey("k.partial"))
            check(.failed, "is being written by another tidemark\nlet one sidecar") {
                _ = try bench.store.openAppendable(ObjectKey("k.partial"))
            }
            let other = try Subprocess.run(
                "flock", ["-n", bench.scratch.path + "/k.partial", "true"], seconds: 10)
            #expect(other.status == .exited(1))
            file.close()
        }
    }

    @Test func `what interrupted writers left is swept by age, what they still write is not`()
        async throws
    {
        try await offPool {
            let scratch = try ScratchDirectory()
            let time = SimulatedTime(wall: SystemTimeSource().wall())
            let store = try LocalStore(path: scratch.path, createRoot: false, time: time)
            let writer = try store.create(ObjectKey("s/base/data"))
            try writer.write([1])
            let dead = scratch.path + "/s/base/.tmp-1-1"
            try Subprocess.run("touch", [dead, scratch.path + "/.tmp-1-2"], seconds: 10)
            #expect(try store.list("").isEmpty)
            try store.sweep("", olderThan: 3600)
            #expect(access(dead, F_OK) == 0)
            time.advance(3700)
            try store.sweep("s/", olderThan: 3600)
            #expect(access(dead, F_OK) != 0)
            #expect(access(scratch.path + "/.tmp-1-2", F_OK) == 0)
            try store.sweep("", olderThan: 3600)
            #expect(access(scratch.path + "/.tmp-1-2", F_OK) != 0)
            try writer.finish()
            #expect(try store.list("").map(\.key.path) == ["s/base/data"])
        }
    }

    @Test func `files and folders are closed to strangers`() async throws {
        try await offPool {
            let bench = try Bench()
            try bench.store.put(ObjectKey("a/b"), [1], .create)
            let calls = SystemCalls()
            #expect(try calls.inspect(bench.scratch.path + "/a/b").mode & 0o137 == 0)
            #expect(try calls.inspect(bench.scratch.path + "/a").mode & 0o027 == 0)
        }
    }

    @Test func `the folder lost+found of a file system is passed over`() async throws {
        try await offPool {
            let bench = try Bench()
            try Subprocess.run("mkdir", [bench.scratch.path + "/lost+found"], seconds: 10)
            bench.faults.fail(.list, with: EACCES, path: "lost+found/")
            #expect(try bench.store.list("").isEmpty)
        }
    }
}
