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
        guard UserIdentity.isRoot else {
            // The folder is ours then.
            #expect(remedy(scratch.path).contains("owns \(scratch.path)"))
            return
        }
        let nobody = try UserIdentity(named: "nobody")
        try #require(chown(scratch.path, nobody.uid, nobody.gid) == 0)
        defer { chown(scratch.path, 0, 0) }
        let text = remedy(scratch.path)
        #expect(text.contains("run this as nobody"), "\(text)")
        #expect(text.contains("usermod -aG nogroup root"), "\(text)")
        #expect(!text.contains("chown"), "\(text)")
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
