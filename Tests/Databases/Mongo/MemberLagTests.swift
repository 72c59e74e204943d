import Model
import Platform
import TestKit
import Testing

@testable import Mongo

/// When a member that has stopped following its set is left.
@Suite struct MemberLagTests {
    private static let start = MonotonicTime(nanoseconds: 1_000_000_000)

    private func after(_ seconds: Double) -> MonotonicTime {
        Self.start.advanced(bySeconds: seconds)
    }

    private func at(_ second: UInt32) -> OpTime { OpTime(seconds: second, increment: 1) }

    @Test func `one that stands still is left once it lacks what a majority had for long`() {
        var lag = MemberLag()
        for second in 0..<15 {
            // What is committed meanwhile does not begin the wait anew.
            #expect(
                lag.unreached(
                    by: at(100), of: at(110 + UInt32(second)), isIdle: true,
                    now: after(Double(second))) == nil)
        }
        #expect(
            lag.unreached(by: at(100), of: at(130), isIdle: true, now: after(15)) == at(110))
    }

    @Test func `one that follows, be it late, one that is idle and one of which nothing is known`()
    {
        var lag = MemberLag()
        for second in 0..<100 {
            let now = after(Double(second))
            let place = UInt32(100 + second)
            // Ten seconds behind, all the time.
            #expect(
                lag.unreached(by: at(place), of: at(place + 10), isIdle: true, now: now) == nil)
        }
        lag = MemberLag()
        for second in 0..<100 {
            let now = after(Double(second))
            #expect(lag.unreached(by: at(100), of: at(100), isIdle: true, now: now) == nil)
            #expect(lag.unreached(by: at(100), of: nil, isIdle: true, now: now) == nil)
        }
    }

    @Test func `an archive that catches up does not judge its member`() {
        var lag = MemberLag()
        for second in 0..<100 {
            let now = after(Double(second))
            #expect(
                lag.unreached(by: at(UInt32(second)), of: at(1000), isIdle: false, now: now)
                    == nil)
        }
        // Now the member has no more.
        #expect(lag.unreached(by: at(99), of: at(1000), isIdle: true, now: after(100)) == at(1000))
    }

    @Test func `there is one change a minute at most`() {
        var lag = MemberLag()
        var changes: [Int] = []
        for second in 0..<200 {
            let now = after(Double(second))
            if lag.unreached(by: at(100), of: at(110), isIdle: true, now: now) != nil {
                changes.append(second)
                lag.began()
            }
        }
        #expect(changes == [15, 75, 135, 195])
    }

    @Test func `a stream tells no member of others that it may not ask`() async throws {
        try await offPool {
            let double = try MongoDouble(entries: MongoFixture("shop").oplog())
            let connection = try Connection(
                MongoConfiguration(
                    source: SourceID("lessons")!,
                    url: "mongodb://127.0.0.1:\(double.port)/?replicaSet=rs0"))
            let primary = Connection.Member.server(try connection.select(.primary))
            let newest = double.state.read { $0.majority }
            #expect(connection.member(at: newest, besides: primary) == nil)
            #expect(connection.member(at: newest, besides: .server(99)) == primary)
            double.state.update { $0.lag = 5 }
            #expect(connection.member(at: newest, besides: .server(99)) == nil)
            connection.passOver(primary, reason: "it stands still")
            connection.passOver(primary, reason: "it stands still")
            #expect(connection.passedOver.map(\.member) == ["127.0.0.1:\(double.port)"])
        }
    }
}
