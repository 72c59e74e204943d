import ArgumentParser
import Daemon
import Model
import Testing

@testable import tidemark

@Suite struct RestoreOptionsTests {
    private func request(_ arguments: String...) throws -> RestoreRequest {
        let command = try Tidemark.parseAsRoot(["restore"] + arguments)
        let restore = try #require(command as? RestoreCommand)
        return try restore.choice.request()
    }

    @Test func `one directory takes every source`() throws {
        let request = try request("--to", "latest", "--into", "/srv/r")
        #expect(request.target == .latest && request.folder == "/srv/r" && request.places.isEmpty)
    }

    @Test func `a source can have its own place`() throws {
        let request = try request(
            "--to", "lsn:0/3000060", "--into", "ledger=/srv/a", "--into",
            "cache=redis://localhost", "--source", "ledger", "--source", "cache", "--timeline", "3",
            "--tablespace", "/mnt/a=/srv/b", "--tablespace", "/mnt/c=/srv/d=e", "--force")
        let ledger = try #require(SourceID("ledger"))
        let cache = try #require(SourceID("cache"))
        #expect(request.target == .position(scheme: "lsn", text: "0/3000060"))
        #expect(request.folder == nil && request.sources == [ledger, cache])
        #expect(request.places[ledger] == .directory("/srv/a"))
        #expect(request.places[cache] == .server(try #require(SourceURL("redis://localhost"))))
        #expect(request.timeline == TimelineID("3") && request.force)
        #expect(request.tablespaces == ["/mnt/a": "/srv/b", "/mnt/c": "/srv/d=e"])
    }

    @Test func `a directory with an equals sign is written with a leading point`() throws {
        #expect(try request("--to", "latest", "--into", "./a=b").folder == "./a=b")
        #expect(try request("--to", "latest", "--into", "/srv/a=b").folder == "/srv/a=b")
    }

    @Test(arguments: [
        "mongodb://127.0.0.1:27600/", "mongodb://a,b/?replicaSet=rs0", "shop=http://127.0.0.1/",
    ])
    func `a URL that says not which source, or of no database, is no folder`(text: String) throws {
        let error = #expect(throws: TidemarkError.self) {
            try request("--to", "latest", "--into", text)
        }
        #expect(error?.code == .usage && error?.remedy.contains("=") == true)
    }

    @Test(arguments: [
        "latest", "2026-11-22T12:00:00.250Z", "2026-11-22T12:00:00+01:00", "point:before-release",
        "xid:1234", "before:17",
    ])
    func `targets are those of the contract`(text: String) throws {
        #expect(try request("--to", text, "--into", "x").target == RecoveryTarget(text))
    }

    @Test func `a time without a zone is told that the zone is missing`() {
        let error = #expect(throws: (any Error).self) {
            _ = try Tidemark.parseAsRoot(
                ["restore", "--to", "2026-11-22T12:00:00", "--into", "x"])
        }
        let text = error.map { Tidemark.message(for: $0) } ?? ""
        #expect(text.contains("the time's zone is missing: 2026-11-22T12:00:00Z"), "\(text)")
    }

    @Test func `what is no target is told what one is`() {
        let error = #expect(throws: (any Error).self) {
            _ = try Tidemark.parseAsRoot(["restore", "--to", "yesterday", "--into", "x"])
        }
        let text = error.map { Tidemark.message(for: $0) } ?? ""
        for form in ["latest", "point:", "before:", "lsn:", "xid:", "offset:", "optime:"] {
            #expect(text.contains(form), "\(form): \(text)")
        }
    }
}
