import Model
import Recovery
import Testing

/// Moments of a stream whose times are those of arrival.
struct ArrivalTests {
    /// Ten commands a second apart; an archiver that stood still between second 5 and 12, and then
    /// got three at once; and four more, of which the first came before the archiver was in step.
    private func paused(bytes: UInt64 = 1 << 24) throws -> RedisArchive {
        let archive = try RedisArchive()
        let before = (1...5).map { Double($0) }
        try archive.write(
            before + [12, 12.1, 12.2, 13, 14, 15, 16],
            since: [5: 5.2, 6: 5.2, 7: 5.2, 8: 12.3], bytes: bytes)
        return archive
    }

    @Test(arguments: [1 << 24, RedisArchive.size * 3])
    func `a moment at which nobody knows what was committed is refused, with both edges`(
        _ bytes: UInt64
    ) throws {
        let archive = try paused(bytes: bytes)
        for moment in [5.3, 8, 11.9, 12, 12.15] {
            let error = #expect(throws: TidemarkError.self) { try archive.commands(at: moment) }
            #expect(error?.code == .targetOutsideWindow)
            #expect(error?.remedy.contains("--to 1970-01-01T00:00:05.200000Z") == true)
            #expect(error?.remedy.contains("--to 1970-01-01T00:00:12.200000Z") == true)
        }
    }

    @Test(arguments: [1 << 24, RedisArchive.size * 3])
    func `the edges themselves and everything outside can be had`(_ bytes: UInt64) throws {
        let archive = try paused(bytes: bytes)
        #expect(try archive.commands(at: 4.5) == 4)
        #expect(try archive.commands(at: 5.1) == 5)
        #expect(try archive.commands(at: 5.2) == 5)
        #expect(try archive.commands(at: 12.2) == 8)
        #expect(try archive.commands(at: 12.25) == 8)
        #expect(try archive.commands(at: 13) == 9)
        #expect(try archive.commands(at: 14.5) == 10)
    }

    @Test func `what came a little late takes from what is certain`() throws {
        let archive = try paused()
        let plan = try archive.plan(.time(RedisArchive.at(12.8)))
        #expect(plan.stop?.end == 8 * RedisArchive.size)
        #expect(plan.reaches == RedisArchive.at(12.3))
        #expect(try archive.plan(.time(RedisArchive.at(13.5))).reaches == RedisArchive.at(13.5))
    }

    @Test func `doubts that touch are one, however far they reach`() throws {
        let archive = try RedisArchive()
        // An archiver that is slower than its source.
        let times = (0..<40).map { ($0 < 5 ? 4 : 10) + Double($0) }
        let since = Dictionary(uniqueKeysWithValues: (5..<35).map { ($0, 3 + Double($0)) })
        try archive.write(times, since: since, bytes: RedisArchive.size * 4)
        for moment in [8.5, 20, 43.9] {
            let error = #expect(throws: TidemarkError.self) { try archive.commands(at: moment) }
            #expect(error?.remedy.contains("--to 1970-01-01T00:00:08.000000Z") == true)
            #expect(error?.remedy.contains("--to 1970-01-01T00:00:44.000000Z") == true)
        }
        #expect(try archive.commands(at: 44) == 35)
    }

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
