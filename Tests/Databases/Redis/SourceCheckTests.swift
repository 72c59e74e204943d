import Model
import Testing

@testable import Redis

/// Which server is the archive's own source, as a restore decides it.
@Suite struct SourceCheckTests {
    private static let known = String(repeating: "a", count: 40)
    private static let fresh = String(repeating: "b", count: 40)
    private static let none = String(repeating: "0", count: 40)

    private func isSource(
        _ id: String?, _ older: String, at place: String, url: String?, holdsKeys: Bool = false
    ) throws -> Bool {
        let source = try #require(SourceID("sessions"))
        var check = SourceCheck(timelines: [TimelineID(Self.known)], endpoint: nil)
        if let url {
            check = SourceCheck(
                timelines: check.timelines,
                endpoint: try RedisConfiguration(source: source, url: url).endpoint)
        }
        let target = try RedisConfiguration(source: source, url: place)
        let ids = id.map { "master_replid:\($0)\r\nmaster_replid2:\(older)\r\n" } ?? ""
        let keys = holdsKeys ? "db0:keys=1,expires=0,avg_ttl=0\r\n" : ""
        let info = ServerInfo("role:master\r\n" + ids + keys)
        return check.proof(info, target.endpoint, "127.0.0.1") != nil
    }

    @Test func `a history of the archive is the source's, wherever it is`() throws {
        #expect(try isSource(Self.known, Self.none, at: "redis://elsewhere:1", url: nil))
    }

    @Test func `another one is not, not even at the source's place`() throws {
        let place = "redis://127.0.0.1:6379"
        // Started anew with nothing.
        #expect(try !isSource(Self.fresh, Self.none, at: place, url: place))
        #expect(try !isSource(Self.fresh, Self.fresh, at: place, url: place))
    }

    @Test func `one with keys at the source's place is taken for it: an AOF names no history`()
        throws
    {
        let place = "redis://127.0.0.1:6379"
        #expect(try isSource(Self.fresh, Self.none, at: place, url: place, holdsKeys: true))
        let other = "redis://127.0.0.1:6380"
        #expect(try !isSource(Self.fresh, Self.none, at: other, url: place, holdsKeys: true))
        #expect(try !isSource(Self.fresh, Self.none, at: place, url: nil, holdsKeys: true))
    }

    @Test(arguments: [
        ("redis://127.0.0.1:6379", true), ("redis://localhost", true),
        ("redis://user:pw@127.0.0.1:6379/3", true), ("redis://127.0.0.1:6380", false),
        ("redis+unix:///run/redis.sock", false),
    ])
    func `one that has left it is the source at the source's place only`(
        _ url: String, _ isThere: Bool
    ) throws {
        let place = "redis://127.0.0.1:6379"
        #expect(try isSource(Self.fresh, Self.known, at: place, url: url) == isThere)
        // A server that names no history at all.
        #expect(try isSource(nil, "", at: place, url: url) == isThere)
        #expect(try !isSource(Self.fresh, Self.known, at: place, url: nil))
    }
}
