import Model
import Testing

@testable import Mongo

/// Which server is the archive's own source, as a restore decides it.
@Suite struct SourceCheckTests {
    private static let id = "0102030405060708090a0b0c"
    private static let other = "1102030405060708090a0b0c"

    private func proof(
        _ archived: String, _ url: String?, _ identity: String, _ own: [String]
    ) throws -> String? {
        let source = try #require(SourceID("lessons"))
        let moment = CommitTime(microseconds: 0)
        var order = RestoreOrder(
            source: source,
            descriptor: SourceDescriptor(
                source: source, kind: .mongodb, identity: archived, majorVersion: "4.4",
                segmentBytes: 16 << 20, created: moment),
            backup: BaseBackupDescriptor(
                id: "b", source: source, kind: .mongodb, timeline: TimelineID(archived), start: 1,
                end: 1, started: moment, finished: moment, bytes: 0, storedBytes: 0, files: [],
                server: ServerFacts(identity: archived, version: "4.4.4"), warnings: []),
            destination: "", relocations: [:], timeline: TimelineID(archived), stop: nil,
            fetchCommand: "", programs: [], force: true, starts: false)
        order.origin.url = url
        return try SourceCheck(order).proof(identity, own)
    }

    @Test func `the id of a set decides, wherever it is`() throws {
        let here = ["127.0.0.1:27017"]
        let url = "mongodb://127.0.0.1:27017/?replicaSet=rs0"
        #expect(try proof(Self.id, nil, Self.id, ["elsewhere:1"]) != nil)
        #expect(try proof(Self.id, url, Self.other, here) == nil)
        // A server of its own is no source.
        #expect(try proof(Self.id, url, "", here) == nil)
    }

    @Test(arguments: [
        ("mongodb://127.0.0.1:27017/?replicaSet=rs0", ["127.0.0.1:27017"], true),
        ("mongodb://LOCALHOST/?replicaSet=rs0", ["127.0.0.1:27017"], true),
        ("mongodb://db1,127.0.0.1:27020/?replicaSet=rs0", ["x:1", "127.0.0.1:27020"], true),
        ("mongodb://[::1]:27017/", ["[::1]:27017"], true),
        ("mongodb://127.0.0.1:27018/", ["127.0.0.1:27017"], false),
        (nil, ["127.0.0.1:27017"], false),
    ])
    func `where it is not to be seen the configuration's hosts do`(
        _ url: String?, _ own: [String], _ isSource: Bool
    ) throws {
        // A set's name stands in its place, there or in the archive.
        for (archived, identity) in [(Self.id, "rs0"), ("rs0", Self.id), ("rs0", "rs0")] {
            #expect(try (proof(archived, url, identity, own) != nil) == isSource)
        }
    }
}
