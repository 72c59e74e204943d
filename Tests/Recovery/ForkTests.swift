import Model
import Recovery
import Testing

/// Histories that part: what lies behind the fork on the other one is no part of the answer.
struct ForkTests {
    /// Ten commands, of which a crash threw away the last four; eight more on the new history.
    private func forked(bytes: UInt64 = 1 << 24) throws -> RedisArchive {
        let archive = try RedisArchive()
        try archive.write((0..<10).map { Double($0) + 100 }, bytes: bytes)
        try archive.write(
            (0..<8).map { Double($0) + 200 }, on: RedisArchive.child, first: 6, fork: 6,
            bytes: bytes)
        return archive
    }

    @Test(arguments: [1 << 24, RedisArchive.size * 4])
    func `a time behind a fork holds what had arrived by then, and nothing else`(
        _ bytes: UInt64
    ) throws {
        let archive = try forked(bytes: bytes)
        for second in 0..<7 {
            #expect(try archive.commands(at: Double(second) + 200.5) == UInt64(7 + second))
        }
        for second in 0..<5 {
            #expect(try archive.commands(at: Double(second) + 100.5) == UInt64(1 + second))
        }
        let before = try archive.plan(
            .time(RedisArchive.at(150)), timeline: RedisArchive.child)
        #expect(before.stop?.end == 6 * RedisArchive.size)
    }

    @Test func `a position behind a fork stops at its own history's edges`() throws {
        let archive = try forked()
        for command in UInt64(1)...13 {
            let text = String(command * RedisArchive.size + 3)
            let plan = try archive.plan(.position(scheme: "offset", text: text))
            #expect(plan.stop?.end == command * RedisArchive.size)
        }
    }

    @Test func `segments of two sidecars may overlap`() throws {
        let archive = try RedisArchive()
        try archive.write((0..<10).map { Double($0) + 100 }, bytes: RedisArchive.size * 10)
        // The other one began inside the first one's segment.
        let other = try RedisArchive()
        try other.write((0..<6).map { Double($0) + 107 }, first: 7)
        try archive.takeStream(of: other)
        for second in 0..<12 {
            #expect(try archive.commands(at: Double(second) + 100.5) == UInt64(1 + second))
        }
    }
}
