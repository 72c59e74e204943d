import Model
import Recovery
import Testing

/// Moments of a stream whose times are those of arrival.
struct ArrivalTests {
    /// More than the index has room for: it takes many as one.
    private static let count = 6_000

    private func busy(bytes: UInt64) throws -> RedisArchive {
        let archive = try RedisArchive()
        try archive.write(
            (0..<Self.count).map { 100 + Double($0) * 0.0051 }, bytes: bytes, flushed: 300)
        return archive
    }

    private func plans(_ archive: RedisArchive) throws -> [(arrived: UInt64, plan: RestorePlan)] {
        try stride(from: 17, to: Self.count - 20, by: 977).map { number in
            let moment = RedisArchive.at(100 + (Double(number) + 0.5) * 0.0051)
            return (UInt64(number + 1), try archive.plan(.time(moment)))
        }
    }

    @Test func `a time is exact to the command, however coarse the index`() throws {
        for (arrived, plan) in try plans(busy(bytes: 1 << 24)) {
            #expect(plan.stop?.end == arrived * RedisArchive.size)
            #expect(plan.warnings.isEmpty)
        }
    }

    @Test func `where a segment knows no better, nothing that came in time is left out`() throws {
        let archive = try busy(bytes: RedisArchive.size * UInt64(Self.count))
        for (arrived, plan) in try plans(archive) {
            let commands = try #require(plan.stop?.end) / RedisArchive.size
            #expect(commands == arrived || commands == arrived + 1)
            #expect(plan.warnings.isEmpty == (commands == arrived))
        }
    }
}
