import Catalog
import Model
import Recovery
import Redis
import Repository
import TestKit
import Testing

/// Windows that are told, against what a restore accepts, where times are those of arrival.
struct OutageTests {
    /// A stream with outages: when each command came, and when it may have been made.
    private struct Stream {
        var came: [Double] = []
        var made: [Double] = []

        init(_ random: inout SeededRandom, commands: Int) {
            var now = 100.0
            while came.count < commands {
                now += Double(random.next() % 400) / 1000
                guard random.next() % 12 == 0 else {
                    came.append(now)
                    made.append(now)
                    continue
                }
                // An outage, behind which what had waited comes in a burst of many pieces.
                let left = now
                now += 1.2 + Double(random.next() % 9000) / 1000
                for _ in 0...random.next() % 20 {
                    now += Double(random.next() % 80) / 1000
                    came.append(now)
                    made.append(left)
                }
            }
        }
    }

    private func snapshot(
        _ archive: RedisArchive, memory: CatalogMemory? = nil
    ) throws -> CatalogSnapshot {
        try CatalogReader(archive.repository, RedisReplayer(), memory: memory).read(
            RedisArchive.source, withWindows: true)
    }

    /// Compares what is told of many moments with what a restore to each does; the refused.
    private func compare(
        _ archive: RedisArchive, _ count: Int, from: Double, to: Double,
        _ random: inout SeededRandom, _ note: String
    ) throws -> Int {
        let snapshot = try snapshot(archive)
        let windows = snapshot.windows()
        var refused = 0
        var moments = (0..<count).map { _ in
            RedisArchive.at(from + Double(random.next() % 1_000_000) / 1e6 * (to - from))
        }
        moments += windows.suffix(6).flatMap { [$0.from, $0.to] }
        for moment in moments {
            let isPromised = windows.contains { $0.from <= moment && moment <= $0.to }
            #expect((snapshot.outage(at: moment) == nil) == isPromised, "\(note): \(moment)")
            do throws(TidemarkError) {
                _ = try archive.plan(.time(moment))
                #expect(isPromised, "\(note): \(moment) is accepted")
            } catch {
                #expect(error.code == .targetOutsideWindow, "\(error)")
                #expect(!isPromised, "\(note): \(moment) is refused: \(error)")
                refused += 1
            }
        }
        return refused
    }

    /// Of what a promoted server did before the archive found it nothing is known but that the
    /// archive is older.
    @Test(arguments: [UInt64(1), 2, 3, 4, 5, 6])
    func `history before a failover is promised as far as it is accepted`(
        seed: UInt64
    ) throws {
        var random = SeededRandom(seed: seed)
        let old = Stream(&random, commands: 300)
        let archive = try RedisArchive()
        let bytes = RedisArchive.size * (seed % 2 == 0 ? 40 : 1000)
        try archive.write(
            old.came, bytes: bytes, flushed: 1 + Int(random.next() % 30), made: old.made)
        // The old server may have gone on behind the fork.
        let fork = seed % 3 == 0 ? 300 : 200 + Int(random.next() % 100)
        var came: [Double] = []
        var made: [Double] = []
        var now = try #require(old.came.last) + Double(seed % 4) * 0.5
        for number in 0..<100 {
            now += Double(random.next() % 200) / 1000
            came.append(now)
            made.append(number < 30 ? 0 : now)
        }
        try archive.write(
            came, on: RedisArchive.child, first: fork, fork: fork, bytes: bytes,
            flushed: 1 + Int(random.next() % 9), made: made)
        let refused = try compare(archive, 60, from: 99, to: now + 2, &random, "seed \(seed)")
        #expect(refused > 5)
        // Around the fork itself.
        let (left, back) = (old.came[fork - 1], came[29])
        _ = try compare(
            archive, 60, from: left - 1, to: back + 1, &random, "seed \(seed), fork")
        let windows = try snapshot(archive).windows()
        // One that came late itself was made after what stands before it.
        #expect(windows.contains { $0.to == RedisArchive.at(old.made[fork - 1]) })
        #expect(windows.last?.from ?? RedisArchive.at(0) <= RedisArchive.at(back + 0.001))
    }

    @Test func `the last moment before a failover is exact, however coarse the index`() throws {
        let archive = try RedisArchive()
        var random = SeededRandom(seed: 9)
        let came = (0..<6_000).map { 100 + Double($0) * 0.0021 }
        try archive.write(came, flushed: 50)
        try archive.write(
            [120, 121], on: RedisArchive.child, first: 5_001, fork: 5_001, made: [0, 121])
        let windows = try snapshot(archive).windows()
        #expect(windows.first?.to == RedisArchive.at(came[5_000]))
        let (left, back) = (came[5_000] - 0.02, came[5_000] + 0.02)
        _ = try compare(archive, 12, from: left, to: back, &random, "fork")
    }

    @Test(arguments: [UInt64(1), 2, 3, 4])
    func `every moment that is promised is accepted, and none that is refused is promised`(
        seed: UInt64
    ) throws {
        var random = SeededRandom(seed: seed)
        let stream = Stream(&random, commands: 700)
        let archive = try RedisArchive()
        // Small segments, so that bursts lie across their edges.
        try archive.write(
            stream.came, bytes: RedisArchive.size * 40, flushed: 1 + Int(random.next() % 30),
            made: stream.made)
        let snapshot = try snapshot(archive)
        let windows = snapshot.windows()
        #expect(windows.count > 10)
        let end = try #require(stream.came.last)
        var refused = 0
        for _ in 0..<400 {
            let moment = RedisArchive.at(
                99 + Double(random.next() % 1_000_000) / 1e6 * (end + 2 - 99))
            let isPromised = windows.contains { $0.from <= moment && moment <= $0.to }
            #expect((snapshot.outage(at: moment) == nil) == isPromised)
            do throws(TidemarkError) {
                let plan = try archive.plan(.time(moment))
                #expect(isPromised, "seed \(seed): \(moment) is accepted")
                let there = stream.came.prefix { RedisArchive.at($0) <= moment }.count
                #expect(plan.stop.map { Int($0.end / RedisArchive.size) } ?? 0 >= there)
            } catch {
                #expect(error.code == .targetOutsideWindow, "\(error)")
                #expect(!isPromised, "seed \(seed): \(moment) is refused: \(error)")
                refused += 1
                // Both ends that it names are accepted, also those of a burst over many segments.
                let ends = error.remedy.split(separator: "--to ").dropFirst().compactMap {
                    CommitTime(String($0.prefix { $0 != "," }))
                }
                #expect(ends.count == 2, "\(error)")
                for end in ends where end < RedisArchive.at(10_000) {
                    do throws(TidemarkError) {
                        _ = try archive.plan(.time(end))
                    } catch {
                        Issue.record("seed \(seed): \(end), an end for \(moment): \(error)")
                    }
                }
            }
        }
        #expect(refused > 20)
        // The ends of a window are promised too.
        for window in windows {
            for end in [window.from, window.to] { _ = try archive.plan(.time(end)) }
        }
    }

    /// So many commands that no index has room for them, with outages at the edges of segments and
    /// elsewhere.
    @Test(arguments: [UInt64(1), 2])
    func `a dense stream is promised as far as it is accepted`(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let (count, room) = (10_000, seed % 2 == 0 ? 5_000 : 3_000)
        var came: [Double] = []
        var made: [Double] = []
        var now = 100.0
        for number in 0..<count {
            let left = now
            let isBack = number % room == 0 || number == count - 500
            now += isBack ? 3 : Double(random.next() % 24) / 10_000
            came.append(now)
            made.append(isBack ? left - Double(random.next() % 100) / 1000 : now)
        }
        let archive = try RedisArchive()
        try archive.write(
            came, bytes: RedisArchive.size * UInt64(room), flushed: 1 + Int(random.next() % 30),
            made: made)
        let ends = came.indices.dropFirst().filter { came[$0] - made[$0] > 1 }.map { came[$0 - 1] }
        #expect(ends.count > 1)
        for end in ends {
            _ = try compare(
                archive, 4, from: end - 0.02, to: end + 0.02, &random, "seed \(seed), \(end)")
        }
    }

    @Test(arguments: [1, 7])
    func `what was promised of an open segment is accepted when it is written anew`(
        flushed: Int
    ) throws {
        let archive = try RedisArchive()
        // Three of them are a stretch of the index, the last two are part of one.
        let came = (0..<1_001).map { 100 + Double($0) * 0.0004 } + [110, 110.1]
        let made = came.dropLast(2) + [100.2, 110.1]
        try archive.write(came, flushed: flushed, made: Array(made))
        let open = try snapshot(archive).windows()
        #expect(open.count == 2 && open[0].to == RedisArchive.at(came[1_000]))
        try archive.write(
            [111, 112, 113], first: came.count, bytes: RedisArchive.size * UInt64(came.count))
        let names = try archive.repository.store.list(
            Layout.streamFolder(RedisArchive.source, RedisArchive.style)
        ).map(\.key.name)
        #expect(names.contains { $0.hasSuffix(".lz4") }, "\(names)")
        for window in open.dropLast() { _ = try archive.plan(.time(window.to)) }
        #expect(try snapshot(archive).windows().dropLast() == open.dropLast())
    }

    @Test func `an outage in the common history is one of the child's line too`() throws {
        let archive = try RedisArchive()
        try archive.write([100, 101, 105, 105.1], made: [100, 101, 101, 101])
        try archive.write(
            [107, 120], on: RedisArchive.child, first: 4, fork: 4, made: [107, 108])
        let windows = try snapshot(archive).windows()
        let ends = windows.map { [$0.from, $0.to] }
        #expect(
            ends == [
                [RedisArchive.at(0), RedisArchive.at(101)],
                [RedisArchive.at(105.1), RedisArchive.at(108)],
                [RedisArchive.at(120), RedisArchive.at(10_000)],
            ])
    }

    @Test func `what a coarse index calls wide did not come late`() throws {
        let archive = try RedisArchive()
        // More than the index has room for at a second each.
        let came = (0..<9_000).map { 100 + Double($0) * 0.7 }
        try archive.write(came, flushed: 50)
        #expect(try snapshot(archive).windows().count == 1)
    }

    @Test func `a segment that cannot be read is promised nothing of, until its neighbours`()
        throws
    {
        let archive = try RedisArchive()
        let came = (0..<100).map { 100 + Double($0) }
        try archive.write(came, bytes: RedisArchive.size * 10)
        try archive.damageSealed(3)
        let windows = try snapshot(archive).windows()
        #expect(
            windows.map { [$0.from, $0.to] } == [
                [RedisArchive.at(0), RedisArchive.at(129)],
                [RedisArchive.at(140), RedisArchive.at(10_000)],
            ])
    }

    @Test func `what was read once is not read again`() throws {
        let archive = try RedisArchive()
        try archive.write(
            [100, 101, 105, 106, 107], bytes: RedisArchive.size * 2,
            made: [100, 101, 101, 106, 107])
        let memory = CatalogMemory()
        let first = try snapshot(archive, memory: memory).windows()
        #expect(first.count == 2)
        let folder = Layout.streamFolder(RedisArchive.source, RedisArchive.style)
        let store = archive.repository.store
        // The listing tells size and name, and these stay.
        for info in try store.list(folder) where info.key.name.hasSuffix(".lz4") {
            try store.delete(info.key)
            let writer = try store.create(info.key)
            try writer.write([UInt8](repeating: 7, count: Int(info.size)))
            try writer.finish()
        }
        let reader = CatalogReader(archive.repository, RedisReplayer(), memory: memory)
        let again = try reader.read(
            RedisArchive.source, withCommits: false, withWindows: true)
        #expect(again.windows() == first)
    }
}
