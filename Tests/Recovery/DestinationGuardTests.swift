import Glibc
import Model
import Recovery
import TestKit
import Testing

/// A restore never writes over an archive, by whatever path it is led there.
@Suite struct DestinationGuardTests {
    private func request(_ repository: String, into place: String) -> CopyRequest {
        CopyRequest(
            source: Sample.source, target: .latest, destination: place,
            repositoryURL: "file://" + repository, repositoryFolder: repository,
            program: "/bin/tidemark", force: true)
    }

    @Test func `in, at and above the repository are refused, beside it is not`() throws {
        let scratch = try ScratchDirectory()
        let repository = try scratch.directory("repo")
        _ = try scratch.directory("repo/ledger")
        #expect(symlink(repository, scratch.path + "/link") == 0)
        #expect(symlink(repository + "/ledger", scratch.path + "/inner") == 0)
        #expect(symlink(scratch.path, scratch.path + "/up") == 0)
        for name in [
            "repo", "repo/ledger", "repo/q", "repo/q/r", "link", "link/new", "inner", "inner/new",
            "up/repo", "up", "",
        ] {
            let place = name.isEmpty ? scratch.path : scratch.path + "/" + name
            let error = #expect(throws: TidemarkError.self, "\(name)") {
                try Restore.preflight(request(repository, into: place))
            }
            #expect(error?.code.exitStatus == 2)
            #expect(error?.message.contains("the repository") == true, "\(error!)")
        }
        for name in ["repo.copy", "new/deep", "reporter"] {
            try Restore.preflight(request(repository, into: scratch.path + "/" + name))
        }
    }

    @Test func `another archive is as safe as the one that is read`() throws {
        let scratch = try ScratchDirectory()
        let repository = try scratch.directory("repo")
        let other = try scratch.directory("other")
        #expect(close(open(other + "/tidemark.json", O_CREAT | O_WRONLY, 0o644)) == 0)
        for place in [other, other + "/ledger"] {
            let error = #expect(throws: TidemarkError.self) {
                try Restore.preflight(request(repository, into: place))
            }
            #expect(error?.message.contains("the archive \(other)") == true)
        }
        var moved = request(repository, into: scratch.path + "/new")
        moved.relocations = ["/mnt/fast": repository + "/fast"]
        #expect(throws: TidemarkError.self) { try Restore.preflight(moved) }
    }
}
