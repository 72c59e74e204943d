import Catalog
import Model
import Recovery
import Redis
import Repository
import TestKit
import Testing

/// Two primaries at once: times at which both histories have a claim are promised nowhere, and
/// refused by a restore that names no timeline.
struct TakeoverTests {
    /// The old primary's commands, those of them that the new one has, and the new one's own.
    private struct Split {
        var old: [Double] = []
        var fork = 0
        var new: [Double] = []

        init(_ random: inout SeededRandom) {
            var now = 100.0
            let count = 100 + Int(random.next() % 200)
            for _ in 0..<count {
                old.append(now)
                now += Double(1 + random.next() % 300_000) / 1e6
            }
            fork = 20 + Int(random.next() % UInt64(count - 30))
            // It took over while the old one still wrote, at once, or long after.
            now = old[fork - 1] + Double(1 + random.next() % 12_000_000) / 1e6
            for _ in 0..<(1 + random.next() % 60) {
                new.append(now)
                now += Double(1 + random.next() % 400_000) / 1e6
            }
        }

        var first: CommitTime { RedisArchive.at(old[fork]) }
        var takeover: CommitTime { RedisArchive.at(new[0]) }

        /// How many commands a copy of this moment has; nil where nobody can tell which.
        func commands(_ moment: CommitTime) -> Int? {
            if first <= moment, moment < takeover { return nil }
            let shared = old[..<fork].count { RedisArchive.at($0) <= moment }
            return shared + new.count { RedisArchive.at($0) <= moment }
        }
    }

    private func snapshot(
        _ archive: RedisArchive, _ memory: CatalogMemory? = nil
    ) throws -> CatalogSnapshot {
        try CatalogReader(archive.repository, RedisReplayer(), memory: memory).read(
            RedisArchive.source, withWindows: true)
    }

    @Test(arguments: [UInt64](1...8))
    func `what is promised around a takeover is what a restore accepts`(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let split = Split(&random)
        let archive = try RedisArchive()
        // One segment that reaches across the fork, or many.
        let bytes = RedisArchive.size * (seed % 2 == 0 ? 30 : 1000)
        try archive.write(split.old, bytes: bytes, flushed: 1 + Int(random.next() % 20))
        try archive.write(
            split.new, on: RedisArchive.child, first: split.fork, fork: split.fork, bytes: bytes,
            flushed: 1 + Int(random.next() % 20))
        let memory = CatalogMemory()
        let snapshot = try snapshot(archive, memory)
        let windows = snapshot.windows()
        let end = max(split.old.last ?? 0, split.new.last ?? 0) + 1
        var moments = (0..<50).map { _ in
            RedisArchive.at(99 + Double(random.next() % 1_000_000) / 1e6 * (end - 99))
        }
        for edge in [split.first, split.takeover, RedisArchive.at(split.old[split.fork - 1])] {
            moments += [-1_000_001, -1, 0, 1, 999, 500_000].map {
                CommitTime(microseconds: edge.microseconds + $0)
            }
        }
        moments += windows.flatMap { [$0.from, $0.to] }
        for moment in moments {
            let isPromised = windows.contains { $0.from <= moment && moment <= $0.to }
            let commands = split.commands(moment)
            #expect((snapshot.branch(claiming: moment) == nil) == (commands != nil), "\(moment)")
            do throws(TidemarkError) {
                let plan = try archive.plan(.time(moment))
                let found = plan.stop.map { Int($0.end / RedisArchive.size) }
                #expect(found == commands, "seed \(seed): \(moment)")
                // A window that begins with the takeover is told in whole milliseconds.
                let sinceTakeover = moment.microseconds - split.takeover.microseconds
                #expect(
                    isPromised || (0..<1000).contains(sinceTakeover),
                    "seed \(seed): \(moment) is accepted")
            } catch {
                #expect(error.code == .targetOutsideWindow, "\(error)")
                #expect(commands == nil, "seed \(seed): \(moment) is refused: \(error)")
                #expect(!isPromised, "seed \(seed): \(moment) is refused: \(error)")
            }
        }
        // What was remembered tells the same.
        let again = try self.snapshot(archive, memory)
        #expect(again.windows() == windows && again.branches == snapshot.branches)
    }

    @Test func `what the old primary took behind the fork counts from its first command`() throws {
        let archive = try RedisArchive()
        // All of it is one frame, and the first three are one stretch of the index.
        try archive.write([100, 100.004, 100.008, 150])
        try archive.write([200], on: RedisArchive.child, first: 1, fork: 1)
        let branch = try #require(
            try snapshot(archive).branches[RedisArchive.child]?.first)
        #expect(branch.first == RedisArchive.at(100.004))
        #expect(branch.last == RedisArchive.at(150))
        #expect(branch.takeover == RedisArchive.at(200))
        for moment in [100.004, 100.007, 199.999999] {
            #expect(throws: TidemarkError.self) {
                try archive.plan(.time(RedisArchive.at(moment)))
            }
        }
        #expect(try archive.commands(at: 100.003) == 1)
        #expect(try archive.commands(at: 200) == 2)
    }

    @Test func `until the new primary is heard of, all behind the fork is in doubt`() throws {
        let archive = try RedisArchive()
        try archive.write([100, 101, 102, 103])
        try archive.write([], on: RedisArchive.child, first: 2, fork: 2)
        let snapshot = try snapshot(archive)
        #expect(snapshot.windows().map(\.to) == [CommitTime(microseconds: 101_999_999)])
        // Nor does a newer proof of it say anything.
        var mark = try #require(snapshot.watermark)
        mark.restorableTo = RedisArchive.at(20_000)
        #expect(snapshot.newestReach?.proved(by: mark) == nil)
        #expect(throws: TidemarkError.self) { try archive.plan(.time(RedisArchive.at(9_999))) }
    }

    @Test func `a damaged file of the branch puts what may be in it in doubt, and no more`() throws
    {
        let archive = try RedisArchive()
        try archive.write(
            (0..<40).map { 100 + Double($0) }, bytes: RedisArchive.size * 10)
        try archive.write(
            [200, 201], on: RedisArchive.child, first: 20, fork: 20,
            bytes: RedisArchive.size * 10)
        try archive.damageSealed(2)
        let windows = try snapshot(archive).windows()
        #expect(
            windows.map { [$0.from, $0.to] } == [
                [RedisArchive.at(0), RedisArchive.at(118.999999)],
                [RedisArchive.at(200), RedisArchive.at(10_000)],
            ])
        #expect(try archive.commands(at: 118.9) == 19)
        #expect(try archive.commands(at: 201) == 22)
    }
}
