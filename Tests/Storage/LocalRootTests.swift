import Glibc
import Model
import Platform
import Storage
import TestKit
import Testing

/// A repository whose folder is missing, vanishes or is exchanged.
@Suite struct LocalRootTests {
    private func expectUnreachable(
        _ words: String, sourceLocation: SourceLocation = #_sourceLocation,
        _ body: () throws -> Void
    ) {
        let error = #expect(
            throws: TidemarkError.self, sourceLocation: sourceLocation, performing: body)
        #expect(error?.code == .repositoryUnreachable, sourceLocation: sourceLocation)
        let text = error?.description ?? ""
        #expect(text.contains(words), "\(text)", sourceLocation: sourceLocation)
    }

    @Test func `a missing folder is an unreachable repository, and is not made`() async throws {
        try await offPool {
            let scratch = try ScratchDirectory()
            let path = scratch.path + "/missing"
            expectUnreachable("is its file system mounted?") {
                _ = try LocalStore(path: path, createRoot: false)
            }
            #expect(access(path, F_OK) != 0)
        }
    }

    @Test func `a missing folder is made with its parents when asked`() async throws {
        try await offPool {
            let scratch = try ScratchDirectory()
            let path = scratch.path + "/made/with/parents/"
            let store = try LocalStore(path: path, createRoot: true)
            try store.put(ObjectKey("a"), [1], .create)
            #expect(store.url == "file://\(scratch.path)/made/with/parents")
            _ = try LocalStore(path: path, createRoot: true)
        }
    }

    @Test func `a file in the place of the folder is refused`() async throws {
        try await offPool {
            let scratch = try ScratchDirectory()
            try Subprocess.run("touch", [scratch.path + "/file"], seconds: 10)
            for create in [false, true] {
                expectUnreachable("Not a directory") {
                    _ = try LocalStore(path: scratch.path + "/file", createRoot: create)
                }
            }
        }
    }

    @Test func `a folder that vanishes is unreachable for every call, and is not made again`()
        async throws
    {
        try await offPool {
            let scratch = try ScratchDirectory()
            let path = scratch.path + "/repository"
            let store = try LocalStore(path: path, createRoot: true)
            try store.put(ObjectKey("a/b"), [1], .create)
            try Directory.removeAll(path)
            let key = ObjectKey("a/b")
            let words = "is its file system mounted?"
            expectUnreachable(words) { _ = try store.size(key) }
            expectUnreachable(words) { _ = try store.open(key, at: 0) }
            expectUnreachable(words) { try store.put(key, [1], .create) }
            expectUnreachable(words) { try store.put(key, [1], .replace) }
            expectUnreachable(words) { _ = try store.create(key) }
            expectUnreachable(words) { _ = try store.list("") }
            expectUnreachable(words) { _ = try store.list("a/") }
            expectUnreachable(words) { try store.delete(key) }
            expectUnreachable(words) { _ = try store.openAppendable(key) }
            #expect(access(path, F_OK) != 0)
        }
    }

    @Test func `an empty folder in its place is taken for an unmounted one`() async throws {
        try await offPool {
            let scratch = try ScratchDirectory()
            let path = scratch.path + "/repository"
            let store = try LocalStore(path: path, createRoot: true)
            try store.put(ObjectKey("tidemark.json"), [1], .create)
            #expect(rename(path, path + ".away") == 0)
            #expect(mkdir(path, 0o755) == 0)
            expectUnreachable("an empty one") { try store.put(ObjectKey("b"), [1], .create) }
            expectUnreachable("an empty one") { _ = try store.list("") }
            #expect(rmdir(path) == 0)
            #expect(rename(path + ".away", path) == 0)
            try store.put(ObjectKey("b"), [1], .create)
            // Mounted again elsewhere, with its content: another device, the same repository.
            try Subprocess.run("cp", ["-a", path, path + ".copy"], seconds: 10)
            #expect(rename(path, path + ".away") == 0)
            #expect(rename(path + ".copy", path) == 0)
            try store.put(ObjectKey("c/d"), [1], .create)
            #expect(try store.list("").count == 3)
        }
    }

    @Test func `folders that somebody removed are made again`() async throws {
        try await offPool {
            let scratch = try ScratchDirectory()
            let store = try LocalStore(path: scratch.path, createRoot: false)
            try store.put(ObjectKey("a/b/c"), [1], .create)
            try Directory.removeAll(scratch.path + "/a")
            #expect(throws: TidemarkError.self) { try store.put(ObjectKey("a/b/c"), [1], .create) }
            try store.put(ObjectKey("a/b/c"), [1], .create)
            #expect(try store.size(ObjectKey("a/b/c")) == 1)
        }
    }
}
