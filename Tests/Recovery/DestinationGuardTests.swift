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

    @Test func `nothing is restored into the data directory of a server`() throws {
        let scratch = try ScratchDirectory()
        _ = try scratch.directory("repo")
        let data = try scratch.directory("data")
        #expect(close(open(data + "/PG_VERSION", O_CREAT | O_WRONLY, 0o644)) == 0)
        #expect(symlink(data, scratch.path + "/link") == 0)
        for name in ["data/ledger", "data/new/ledger", "link/ledger"] {
            var order = request(scratch.path + "/repo", into: scratch.path + "/" + name)
            order.dataDirectoryMarks = ["PG_VERSION"]
            let error = #expect(throws: TidemarkError.self) { try Restore.preflight(order) }
            #expect(error?.message.contains("data directory") == true)
        }
        // Itself it is its room's to judge: --force replaces one that no server runs on.
        var same = request(scratch.path + "/repo", into: data)
        same.dataDirectoryMarks = ["PG_VERSION"]
        try Restore.preflight(same)
    }

    @Test func `two sources are never restored into one place, nor share one port`() throws {
        func orders(_ places: [String]) -> [CopyRequest] {
            places.map { request("/repo", into: $0) }
        }
        try Restore.preflight(together: orders(["/a/b", "/a/bc", "/a/d"]))
        for places in [["/a", "/a"], ["/a/b", "/a"], ["/x", "/a", "/a/b"]] {
            let error = #expect(throws: TidemarkError.self) {
                try Restore.preflight(together: orders(places))
            }
            #expect(error?.code == .usage)
        }
        var started = orders(["/a", "/b"])
        for index in started.indices {
            started[index].starts = true
            started[index].port = 6400
        }
        let error = #expect(throws: TidemarkError.self) {
            try Restore.preflight(together: started)
        }
        #expect(error?.message.contains("--port 6400") == true)
        started[1].server = "redis://127.0.0.1:6379"
        try Restore.preflight(together: started)
    }
}
