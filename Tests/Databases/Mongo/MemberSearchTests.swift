import Model
import Testing

@testable import Mongo

/// Whom a stream asks before history counts as lost.
@Suite struct MemberSearchTests {
    private let members = SetMembers(
        primary: .server(1), secondaries: [.server(2), .server(3), .server(4)],
        isDirect: false)

    private func search(_ first: UInt32, _ members: SetMembers) -> MemberSearch {
        MemberSearch(first: .server(first), members)
    }

    @Test func `a secondary that lacks history is not believed before all others lack it too`() {
        var search = search(3, members)
        #expect(search.take(.truncated, of: .server(3)) == .ask(.server(1)))
        #expect(search.take(.truncated, of: .server(1)) == .ask(.server(2)))
        #expect(search.take(.silent, of: .server(2)) == .ask(.server(4)))
        let end = search.take(.truncated, of: .server(4))
        #expect(end == .lost([.server(3), .server(1), .server(4)]))
    }

    @Test(arguments: [UInt32(1), 2, 4])
    func `the first that has everything is gone on with`(holder: UInt32) {
        var search = search(3, members)
        var member: UInt32 = 3
        while case .ask(.server(let next)) = search.take(
            member == holder ? .joins : .truncated, of: .server(member))
        {
            member = next
        }
        #expect(member == holder)
    }

    @Test func `the primary decides whether the set has another history`() {
        var search = search(3, members)
        #expect(search.take(.diverged, of: .server(3)) == .ask(.server(1)))
        var other = search
        #expect(other.take(.joins, of: .server(1)) == .goOn(.server(1)))
        #expect(search.take(.diverged, of: .server(1)) == .lost([.server(1)]))
    }

    @Test func `only the primary's and the first one's failures end the search`() {
        let search = search(3, members)
        #expect(!search.isOptional(.server(3)) && !search.isOptional(.server(1)))
        #expect(search.isOptional(.server(2)) && search.isOptional(.server(4)))
    }

    @Test(arguments: [MemberSearch.Answer.truncated, .diverged])
    func `a set of one member says by itself what is lost`(answer: MemberSearch.Answer) {
        var single = search(1, SetMembers(primary: .server(1), isDirect: false))
        #expect(single.take(answer, of: .server(1)) == .lost([.server(1)]))
        var direct = search(2, SetMembers(secondaries: [.server(2)], isDirect: true))
        #expect(direct.take(answer, of: .server(2)) == .lost([.server(2)]))
    }

    @Test func `without a primary nothing is lost yet`() {
        var search = search(2, SetMembers(secondaries: [.server(2)], isDirect: false))
        #expect(search.take(.truncated, of: .server(2)) == .wait)
    }

    @Test func `one that lags is passed over, and waited for only when all lag`() {
        var search = search(3, members)
        #expect(search.take(.behind, of: .server(3)) == .ask(.server(1)))
        var other = search
        #expect(other.take(.joins, of: .server(1)) == .goOn(.server(1)))
        #expect(other.passed.map(\.answer) == [.behind])
        // A primary says what its majority has, and that may lag as well.
        #expect(search.take(.behind, of: .server(1)) == .ask(.server(2)))
        var third = search
        #expect(third.take(.joins, of: .server(2)) == .goOn(.server(2)))
        #expect(search.take(.truncated, of: .server(2)) == .ask(.server(4)))
        #expect(search.take(.behind, of: .server(4)) == .waitBehind)
    }

    @Test func `one that lags keeps nothing from being lost that the primary lost`() {
        var search = search(3, members)
        _ = search.take(.behind, of: .server(3))
        _ = search.take(.truncated, of: .server(1))
        _ = search.take(.behind, of: .server(2))
        #expect(search.take(.silent, of: .server(4)) == .lost([.server(1)]))
        var other = self.search(3, members)
        _ = other.take(.behind, of: .server(3))
        #expect(other.take(.diverged, of: .server(1)) == .lost([.server(1)]))
    }

    @Test func `without a primary one that lags is passed over for another secondary`() {
        let left = SetMembers(secondaries: [.server(2), .server(3)], isDirect: false)
        var search = search(2, left)
        #expect(search.take(.behind, of: .server(2)) == .ask(.server(3)))
        var other = search
        #expect(other.take(.joins, of: .server(3)) == .goOn(.server(3)))
        var lost = search
        #expect(lost.take(.truncated, of: .server(3)) == .wait)
        #expect(search.take(.behind, of: .server(3)) == .waitBehind)
        var alone = self.search(1, SetMembers(primary: .server(1), isDirect: false))
        #expect(alone.take(.behind, of: .server(1)) == .waitBehind)
    }

    @Test func `through a router the shards' primaries are asked before history is lost`() {
        let routers = SetMembers(routers: [.server(1), .server(2)], isDirect: false)
        var search = search(2, routers)
        #expect(search.take(.truncated, of: .server(2)) == .ask(.primaries(2)))
        var other = search
        #expect(other.take(.joins, of: .primaries(2)) == .goOn(.primaries(2)))
        let end = search.take(.truncated, of: .primaries(2))
        #expect(end == .lost([.server(2), .primaries(2)]))
    }

    @Test(arguments: [
        ("a:1/", true), ("a:1/?directConnection=true", true), ("a:1,b:2/", false),
        ("a:1/?directConnection=false", false), ("a:1/?replicaSet=rs0", false),
        ("a:1/?replicaSet=rs0&directConnection=true", true),
    ])
    func `whether others may be asked is told by the url`(url: String, isDirect: Bool) throws {
        let configuration = try MongoConfiguration(
            source: SourceID("lessons")!, url: "mongodb://" + url)
        #expect(configuration.isDirect == isDirect)
    }
}
