import Glibc
import Model
import Platform
import TestKit
import Testing

@Suite struct FileTests {
    @Test func `bytes are written and read at any offset`() async throws {
        try await offPool {
            let scratch = try ScratchDirectory()
            let file = try File(scratch.path + "/f", .creating)
            try file.write(at: 0, ([1, 2, 3] as [UInt8]).span.bytes)
            try file.write(at: 10, ([9] as [UInt8]).span.bytes)
            try file.syncData()
            let bytes = try file.read(at: 0, 100)
            #expect(bytes == [1, 2, 3, 0, 0, 0, 0, 0, 0, 0, 9])
            let end = try file.read(at: 11, 5)
            #expect(end.isEmpty)
            try file.truncate(2)
            try file.allocate(at: 0, 8192, keepSize: true)
            let status = try file.status()
            #expect(status.size == 2)
            #expect(status.isRegularFile && !status.isDirectory)
        }
    }

    @Test func `access decides what may exist`() async throws {
        try await offPool {
            let scratch = try ScratchDirectory()
            let path = scratch.path + "/f"
            #expect(throws: SystemFailure(.open, path, ENOENT)) { _ = try File(path, .reading) }
            _ = try File(path, .creating)
            #expect(throws: SystemFailure(.open, path, EEXIST)) { _ = try File(path, .creating) }
            let file = try File(path, .updating)
            try file.write(at: 0, ([1] as [UInt8]).span.bytes)
            let again = try File(path, .updating)
            let kept = try again.status().size
            #expect(kept == 1)
            let emptied = try File(path, .replacing).status().size
            #expect(emptied == 0)
        }
    }

    @Test func `a lock keeps others out until the file is closed`() async throws {
        try await offPool {
            let scratch = try ScratchDirectory()
            let path = scratch.path + "/f"
            do {
                var file = try File(path, .creating)
                try file.lock()
                #expect(throws: SystemFailure(.lock, path, EWOULDBLOCK)) {
                    var other = try File(path, .updating)
                    try other.lock()
                }
                _ = try file.status()
            }
            // Children that are just being started have copies of our descriptors.
            let children = DedicatedThread("children") { () throws(TidemarkError) in
                for _ in 0..<100 { try Subprocess.run("true", seconds: 30) }
            }
            for _ in 0..<2000 {
                var file = try File(path, .updating)
                try file.lock()
            }
            try children.join()
        }
    }

    @Test func `ordered failures come after the skipped calls, on the paths asked for`()
        async throws
    {
        try await offPool {
            let scratch = try ScratchDirectory()
            let faults = SystemFaults()
            let calls = SystemCalls(faults: faults)
            let file = try File(scratch.path + "/f", .creating, calls: calls)
            let other = try File(scratch.path + "/g", .creating, calls: calls)
            faults.fail(.sync, with: EIO, times: 2, skipping: 1, path: "/f")
            try other.syncData()
            try file.syncData()
            for _ in 0..<2 {
                #expect(throws: SystemFailure(.sync, scratch.path + "/f", EIO)) {
                    try file.syncData()
                }
            }
            try file.syncData()
            #expect(faults.trace.count { $0.call == .sync } == 5)
        }
    }

    @Test func `failures outside a repository become errors with a remedy`() {
        let rows: [(Int32, TidemarkError.Code, String)] = [
            (ENOENT, .notFound, "check the path"), (ENOSPC, .failed, "free space"),
            (EACCES, .failed, "access"), (EROFS, .failed, "for writing"),
            (EMFILE, .failed, "ulimit"),
            (EIO, .failed, "dmesg"), (EBADF, .failed, ""),
        ]
        for (number, code, words) in rows {
            let error = #expect(throws: TidemarkError.self) {
                try translated { () throws(SystemFailure) in
                    throw SystemFailure(.write, "/x", number)
                }
            }
            #expect(error?.code == code)
            #expect(error?.message.hasPrefix("cannot write /x (") == true)
            #expect(words.isEmpty ? error?.remedy == "" : error?.remedy.contains(words) == true)
        }
    }

    @Test func `directories are made with their parents and removed with their content`()
        async throws
    {
        try await offPool {
            let scratch = try ScratchDirectory()
            let path = scratch.path + "/a/b/c"
            try Directory.makeAll(path)
            try Directory.makeAll(path)
            #expect(try !Directory.make(path))
            _ = try File(path + "/f", .creating)
            #expect(symlink("/usr", path + "/link") == 0)
            #expect(try Directory.names(in: path) == ["f", "link"])
            #expect(throws: SystemFailure(.makeDirectory, path + "/f", ENOTDIR)) {
                try Directory.makeAll(path + "/f")
            }
            try Directory.removeAll(scratch.path + "/a")
            try Directory.removeAll(scratch.path + "/a")
            #expect(try Directory.names(in: scratch.path).isEmpty)
            #expect(access("/usr/bin", F_OK) == 0)
            #expect(throws: SystemFailure.self) { try Directory.names(in: path) }
        }
    }

    @Test func `a directory that cannot be synced is passed over only when it never can`()
        async throws
    {
        try await offPool {
            let scratch = try ScratchDirectory()
            let faults = SystemFaults()
            faults.fail(.sync, with: EINVAL)
            faults.fail(.sync, with: EIO)
            let calls = SystemCalls(faults: faults)
            try Directory.sync(scratch.path, calls: calls)
            #expect(throws: SystemFailure.self) { try Directory.sync(scratch.path, calls: calls) }
        }
    }

    @Test func `the parent of a path is found without the file system`() {
        for (path, parent) in [
            ("/a/b", "/a"), ("/a", "/"), ("a", "."), ("a/b/c", "a/b"), ("/", "/"),
        ] {
            #expect(Directory.parent(path) == parent)
        }
    }
}
