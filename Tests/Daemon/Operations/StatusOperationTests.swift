import Model
import Monitoring
import Platform
import Repository
import Storage
import TestKit
import Testing

@testable import Daemon

struct StatusOperationTests {
    private static func configuration(
        _ path: String, urls: [String] = []
    ) throws -> Configuration {
        try Configuration(
            urls: urls, repository: "file://" + path, environment: Environment([:]))
    }

    private static func archive(_ path: String, sources: [String]) throws {
        let repository = ArchiveRepository(try LocalStore(path: path, createRoot: true))
        var random = SeededRandom(seed: 1)
        let now = CommitTime(microseconds: 0)
        try repository.openOrCreate(now: now, random: &random)
        for name in sources {
            try repository.putDescriptor(
                SourceDescriptor(
                    source: SourceID(name)!, kind: .postgres, identity: "7", majorVersion: "15",
                    segmentBytes: 16 << 20, created: now))
        }
    }

    @Test func `without a configuration it reports on what the archive has`() async throws {
        try await offPool {
            let scratch = try ScratchDirectory()
            try Self.archive(scratch.path + "/archive", sources: ["sales", "ledger"])
            let report = try StatusOperation(Self.configuration(scratch.path + "/archive")).run()
            #expect(report.failure == nil)
            #expect(report.document.repository.state == "ok")
            #expect(report.document.sources.map(\.name.name) == ["ledger", "sales"])
            #expect(report.document.sources.allSatisfy { $0.objective == .breached })
        }
    }

    @Test func `an archive without a source is a wrong question, not a good answer`() async throws {
        try await offPool {
            let scratch = try ScratchDirectory()
            try Self.archive(scratch.path + "/archive", sources: [])
            let error = #expect(throws: TidemarkError.self) {
                try StatusOperation(Self.configuration(scratch.path + "/archive")).run()
            }
            #expect(error?.code == .usage)
            #expect(error?.remedy.contains("--config") == true)
        }
    }

    @Test func `an unreachable repository still gives a document, and the reason`() async throws {
        try await offPool {
            let scratch = try ScratchDirectory()
            let report = try StatusOperation(
                Self.configuration(
                    scratch.path + "/nothing", urls: ["postgresql://tm@127.0.0.1/ledger"])
            ).run()
            #expect(report.failure?.code == .repositoryUnreachable)
            #expect(report.document.repository.state != "ok")
            #expect(report.document.sources.map(\.name.name) == ["ledger"])
            #expect(report.document.sources.first?.objective == .breached)
            #expect(report.document.sources.first?.exposureSeconds == nil)
        }
    }

    @Test func `a damaged watermark makes the source unknown`() async throws {
        try await offPool {
            let scratch = try ScratchDirectory()
            let path = scratch.path + "/archive"
            try Self.archive(path, sources: ["ledger"])
            let store = try LocalStore(path: path, createRoot: false)
            try store.put(
                Layout.watermark(SourceID("ledger")!), Array("{}".utf8), .replace)
            let report = try StatusOperation(Self.configuration(path)).run()
            let source = try #require(report.document.sources.first)
            #expect(report.failure == nil)
            #expect(source.objective == .breached && source.exposureSeconds == nil)
            #expect(source.reason.contains("watermark.json in the archive is damaged"))
        }
    }
}
