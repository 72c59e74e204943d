import Model
import Recovery
import Testing

/// Moments of a stream whose times are those of arrival.
struct ArrivalTests {
    @Test(arguments: [(1 << 24, false), (1 << 24, true), (RedisArchive.size * 6_000, true)])
    func `a time is exact to the command, however coarse the index`(
        _ bytes: UInt64, _ flushes: Bool
    ) throws {
        let archive = try RedisArchive()
        // More than the index has room for: it takes many as one.
        let count = 6_000
        try archive.write(
            (0..<count).map { 100 + Double($0) * 0.0051 }, bytes: bytes,
            flushed: flushes ? 300 : .max)
        for number in stride(from: 17, to: count - 20, by: 977) {
            let moment = 100 + (Double(number) + 0.5) * 0.0051
            let plan = try archive.plan(.time(RedisArchive.at(moment)))
            #expect(plan.stop?.end == UInt64(number + 1) * RedisArchive.size)
            #expect(plan.reaches == RedisArchive.at(moment) && plan.warnings.isEmpty)
        }
    }
}
