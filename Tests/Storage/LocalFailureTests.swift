import Glibc
import Model
import TestKit
import Testing

@testable import Platform
@testable import Storage

/// What somebody is told who may not use a repository's folder: never to take it from its owner.
@Suite struct LocalFailureTests {
    private func remedy(_ root: String) -> String {
        LocalFailure.error(
            for: SystemFailure(.open, root + "/tidemark.json", EACCES), root: root
        ).remedy
    }

    @Test func `another's folder stays his`() throws {
        let scratch = try ScratchDirectory()
        let (uid, gid) = (geteuid(), getegid())
        try AsRoot.succeed("chown", ["nobody:nogroup", scratch.path])
        defer { _ = try? AsRoot.run("chown", ["\(uid):\(gid)", scratch.path]) }
        let text = remedy(scratch.path)
        #expect(text.contains("run this as nobody"), "\(text)")
        #expect(text.contains("usermod -aG nogroup \(UserIdentity.currentName)"), "\(text)")
        #expect(!text.contains("chown"), "\(text)")
    }

    @Test func `a read-only file system is told from a missing right`() {
        let error = LocalFailure.error(
            for: SystemFailure(.open, "/r/tidemark.json", EROFS), root: "/r")
        #expect(error.code == .repositoryReadOnly)
        #expect(error.message.hasPrefix("the repository is read-only: "))
        #expect(error.message.contains("Read-only file system"), "\(error.message)")
        let mount = "mount -o remount,rw \"$(findmnt -no TARGET -T /r)\""
        #expect(error.remedy == "make its file system writable: \(mount)")
        let right = LocalFailure.error(
            for: SystemFailure(.open, "/r/tidemark.json", EACCES), root: "/r")
        #expect(right.message.hasPrefix("no permission in the repository: "))
    }

    @Test func `files of others in one's own folder come back to it`() throws {
        let scratch = try ScratchDirectory()
        let text = remedy(scratch.path)
        #expect(text.contains("chown -R \(UserIdentity.currentName) \(scratch.path)"), "\(text)")
    }

    @Test func `a folder that cannot be seen is behind another's rights`() throws {
        let scratch = try ScratchDirectory()
        #expect(remedy(scratch.path + "/gone").contains("folders above"))
    }
}
