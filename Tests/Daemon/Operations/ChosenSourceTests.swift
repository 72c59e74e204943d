import Model
import Platform
import Repository
import Storage
import TestKit
import Testing

@testable import Daemon

private struct SilentProgress: ProgressObserver {
    func began(_ what: String, total: UInt64?) {}
    func advanced(to bytes: UInt64) {}
    func ended(isDone: Bool) {}
}

/// Commands that name a source, or leave it out.
struct ChosenSourceTests {
    private static func configuration(
        _ path: String, urls: [String] = []
    ) throws -> Configuration {
        try Configuration(
            urls: urls, repository: "file://" + path, environment: Environment([:]))
    }

    private static func archive(_ path: String, _ sources: [String: DatabaseKind]) throws {
        let repository = ArchiveRepository(try LocalStore(path: path, createRoot: true))
        var random = SeededRandom(seed: 1)
        let now = CommitTime(microseconds: 0)
        try repository.openOrCreate(now: now, random: &random)
        for (name, kind) in sources {
            try repository.putDescriptor(
                SourceDescriptor(
                    source: SourceID(name)!, kind: kind, identity: "7", majorVersion: "15",
                    segmentBytes: 16 << 20, created: now))
        }
    }

    private static func refusal<T>(_ body: () throws(TidemarkError) -> T) -> TidemarkError? {
        do throws(TidemarkError) {
            _ = try body()
            return nil
        } catch {
            return error
        }
    }

    @Test func `of an archive of three databases WAL belongs to the only Postgres`() async throws {
        try await offPool {
            let path = try ScratchDirectory().path + "/archive"
            try Self.archive(path, ["shop": .mongodb, "ledger": .postgres, "cache": .redis])
            #expect(try ChosenSource.one(nil, Self.configuration(path)).name == "ledger")
            try Self.archive(path, ["sales": .postgres])
            let configuration = try Self.configuration(path)
            let asked = Self.refusal { () throws(TidemarkError) in
                try ChosenSource.one(nil, configuration)
            }
            #expect(asked?.code == .usage)
            #expect(asked?.message == "which source is meant: ledger, sales?")
        }
    }

    @Test func `an archive without a Postgres is told as that`() async throws {
        try await offPool {
            let path = try ScratchDirectory().path + "/archive"
            try Self.archive(path, ["cache": .redis])
            let configuration = try Self.configuration(path)
            let refused = Self.refusal { () throws(TidemarkError) in
                try ChosenSource.one(nil, configuration)
            }
            #expect(refused?.code == .usage)
            #expect(refused?.message.hasSuffix("has no Postgres") == true)
        }
    }

    @Test(arguments: ["cache", "nothing"])
    func `WAL of a source that has none is refused at once`(name: String) async throws {
        try await offPool {
            let path = try ScratchDirectory().path + "/archive"
            try Self.archive(path, ["cache": .redis, "ledger": .postgres])
            let fetch = WalFetchOperation(
                try Self.configuration(path), source: SourceID(name),
                name: "000000010000000000000001", path: path + "/nothing", retrySeconds: 0,
                say: { Issue.record("it was tried again: \($0)") })
            let refused = Self.refusal { () throws(TidemarkError) in try fetch.run() }
            #expect(refused?.code == .configuration, "\(String(describing: refused))")
            #expect(refused?.message.contains(name) == true)
        }
    }

    @Test func `verify calls a misspelt name a mistake, and not damage`() async throws {
        try await offPool {
            let path = try ScratchDirectory().path + "/archive"
            try Self.archive(path, ["ledger": .postgres])
            let verify = VerifyOperation(
                try Self.configuration(path), sources: [SourceID("legder")!], isDeep: false,
                progress: SilentProgress())
            let refused = Self.refusal { () throws(TidemarkError) in try verify.run() }
            #expect(refused?.code == .configuration)
            #expect(refused?.message.hasSuffix("has no source legder") == true)
        }
    }
}
