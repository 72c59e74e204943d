import Model
import Testing

@testable import Postgres

/// Where recovery must stop, on a server's WAL and on made-up WAL.
@Suite struct StopFinderTests {
    typealias Outcome = StopFinder.Outcome

    static func outcome(
        of target: WalStopTarget, in builder: WalBuilder, piece: Int = .max
    ) throws -> Outcome {
        var finder = StopFinder(target, scanner: try builder.scanner(checks: .interpretedRecords))
        try feed(&finder, builder.bytes, from: builder.start, piece: piece)
        return finder.outcome
    }

    static func feed(
        _ finder: inout StopFinder, _ bytes: [UInt8], from start: UInt64, piece: Int
    ) throws {
        var offset = 0
        while offset < bytes.count, !finder.isSettled {
            let count = min(piece, bytes.count - offset)
            try finder.feed(
                bytes.span.bytes.extracting(offset..<offset + count), at: start + UInt64(offset))
            offset += count
        }
    }

    static func stop(_ outcome: Outcome) -> WalStop? {
        if case .found(let stop) = outcome { stop } else { nil }
    }

    /// Times 10, 30, 20, 40 (not in order, as commit times are), with other records between.
    static let sample: (builder: WalBuilder, places: [String: WalRecordPlace]) = {
        var builder = WalBuilder()
        var places: [String: WalRecordPlace] = [:]
        places["first"] = builder.filler(100)
        places["ten"] = builder.commit(1, at: 10)
        places["between"] = builder.filler(64)
        places["thirty"] = builder.commit(2, at: 30)
        places["twenty"] = builder.commit(3, at: 20)
        places["point"] = builder.restorePoint("here", at: 35)
        places["abort"] = builder.abort(4, at: 36)
        builder.fill(leaving: 16)
        places["cut"] = builder.filler(80)
        places["forty"] = builder.commit(5, at: 40)
        places["again"] = builder.restorePoint("here", at: 45)
        places["last"] = builder.filler(48)
        return (builder, places)
    }()

    @Test func `before a record all that ends where it starts is in, and it is not`() throws {
        let (builder, places) = Self.sample
        let (event, neighbour) = try (#require(places["twenty"]), #require(places["thirty"]))
        for piece in [1, 7, Int.max] {
            let before = try Self.stop(
                Self.outcome(of: .before(event.start), in: builder, piece: piece))
            #expect(before?.record == neighbour.start)
            #expect(before?.end == event.start)
            let with = try Self.stop(
                Self.outcome(of: .position(event.start), in: builder, piece: piece))
            #expect(with?.record == event.start)
        }
    }

    static func time(_ number: Int64) -> WalStopTarget { .time(CommitTime(postgres: number)) }

    @Test(arguments: [
        (10, "between", 1, 2), (20, "between", 1, 2), (29, "between", 1, 2), (30, "point", 3, 5),
        (35, "point", 3, 5), (36, "cut", 3, 5), (39, "cut", 3, 5),
    ])
    func `a time stops before the first commit or abort that is later`(
        _ moment: Int64, _ record: String, _ before: UInt64, _ after: UInt64
    ) throws {
        for piece in [Int.max, 1, 50] {
            let stop = Self.stop(
                try Self.outcome(of: Self.time(moment), in: Self.sample.builder, piece: piece))
            let place = try #require(Self.sample.places[record])
            #expect(stop?.record == place.start)
            #expect(stop?.end == place.end)
            #expect(stop?.lastCommit?.event == .commit(transaction: before))
            #expect(stop?.nextCommit?.event == .commit(transaction: after))
            #expect(stop?.commitTime == nil)
        }
    }

    @Test func `a time after everything is not reached and offers the last record`() throws {
        for target in [Self.time(40), Self.time(1000), .latest] {
            guard case .notReached(let end?) = try Self.outcome(of: target, in: Self.sample.builder)
            else {
                Issue.record("expected the end of the WAL")
                return
            }
            #expect(end.record == Self.sample.places["last"]?.start)
            #expect(end.lastCommit?.event == .commit(transaction: 5))
            #expect(end.lastEntry?.event == .restorePoint(name: "here"))
            #expect(end.nextCommit == nil)
        }
    }

    @Test func `a time before the first record is before the start`() throws {
        var builder = WalBuilder()
        let only = builder.commit(1, at: 10)
        guard case .beforeStart(let next?) = try Self.outcome(of: Self.time(9), in: builder) else {
            Issue.record("expected a target before the start")
            return
        }
        #expect(next.first == only.start)
        #expect(try Self.outcome(of: Self.time(9), in: WalBuilder()) == .notReached(end: nil))
    }

    @Test func `a transaction stops at its own end`() throws {
        let cases: [(UInt64, String, HistoryEntry.Event?)] = [
            (1, "ten", .commit(transaction: 2)), (3, "twenty", .commit(transaction: 5)),
            (4, "abort", .commit(transaction: 5)), (5, "forty", nil),
        ]
        for (transaction, record, next) in cases {
            let stop = Self.stop(
                try Self.outcome(of: .transaction(transaction), in: Self.sample.builder, piece: 9))
            #expect(stop?.record == Self.sample.places[record]?.start)
            #expect(stop?.nextCommit?.event == next)
            #expect(
                stop?.lastEntry?.first == Self.sample.places[record]?.start, "\(transaction)")
            #expect((stop?.commitTime == nil) == (transaction == 4))
        }
        guard case .notReached = try Self.outcome(of: .transaction(6), in: Self.sample.builder)
        else {
            Issue.record("a transaction that is not there was found")
            return
        }
    }

    @Test func `a restore point stops at the first of its name`() throws {
        let stop = Self.stop(
            try Self.outcome(of: .restorePoint("here"), in: Self.sample.builder, piece: 33))
        #expect(stop?.record == Self.sample.places["point"]?.start)
        #expect(stop?.lastEntry?.event == .restorePoint(name: "here"))
        #expect(stop?.nextCommit?.event == .commit(transaction: 5))
        guard
            case .notReached = try Self.outcome(of: .restorePoint("her"), in: Self.sample.builder)
        else {
            Issue.record("a restore point that is not there was found")
            return
        }
    }

    @Test func `the start of a record is inclusive, any other position is an end`() throws {
        let builder = Self.sample.builder
        let records = builder.records
        for lsn in stride(from: records[0].start, to: records.last!.end, by: 1) {
            let inclusive = records.first { $0.start == lsn }
            let ending = records.last { $0.end <= lsn }
            // Every position near the page's end and around commits; each eighth elsewhere.
            guard inclusive != nil || ending?.end == lsn || lsn % 8 == 0 && lsn % 37 < 8 else {
                continue
            }
            for piece in [Int.max, 7] {
                let outcome = try Self.outcome(of: .position(lsn), in: builder, piece: piece)
                guard let expected = inclusive ?? ending else {
                    #expect(outcome == .beforeStart(next: nil), "\(LSN.text(lsn))")
                    continue
                }
                let stop = Self.stop(outcome)
                #expect(stop?.record == expected.start, "\(LSN.text(lsn))")
                #expect(stop?.end == expected.end)
                let commits = [1: "ten", 2: "thirty", 3: "twenty", 5: "forty"].compactMapValues {
                    Self.sample.places[$0]
                }
                let before = commits.filter { $0.value.start <= expected.start }
                let behind = commits.filter { $0.value.start > expected.start }
                #expect(stop?.lastCommit?.first == before.values.map(\.start).max())
                #expect(stop?.nextCommit?.first == behind.values.map(\.start).min())
            }
        }
    }

    @Test func `a position at the end of the WAL offers the record that ends there`() throws {
        let builder = Self.sample.builder
        let last = builder.records.last!
        for lsn in [last.end, last.end + 1000] {
            guard case .notReached(let end?) = try Self.outcome(of: .position(lsn), in: builder)
            else {
                Issue.record("expected the end of the WAL")
                return
            }
            #expect(end.record == last.start)
            #expect(end.end == last.end)
        }
    }

    @Test func `a search goes on through a segment switch`() throws {
        var builder = WalBuilder()
        builder.commit(1, at: 10)
        let change = builder.segmentSwitch()
        builder.commit(2, at: 20)
        let stop = Self.stop(try Self.outcome(of: Self.time(15), in: builder, piece: 4096))
        #expect(stop?.record == change.start)
        #expect(stop?.end == builder.start + builder.segmentBytes)
        // A position in the zeros behind the switch lies before the switch's end.
        let inside = Self.stop(try Self.outcome(of: .position(change.end - 100), in: builder))
        #expect(inside?.record == builder.records[0].start)
    }

    @Test func `every commit time of a real server's WAL is found`() throws {
        let fixture = WalFixture.plain
        let commits = fixture.judged.filter { if case .commit = $0.event { true } else { false } }
        for commit in commits.prefix(12) + commits.suffix(4) {
            let time = try #require(commit.time)
            // What Postgres does: stop before the first commit or abort that is later.
            let halting = fixture.judged.first {
                if case .restorePoint = $0.event { return false }
                return $0.time! > time
            }
            var finder = StopFinder(
                .time(time), scanner: try fixture.scanner(checks: .interpretedRecords))
            try Self.feed(&finder, fixture.bytes, from: fixture.start, piece: 65_536)
            switch finder.outcome {
            case .found(let stop):
                #expect(stop.record == fixture.records.last { $0 < halting!.first })
                #expect(stop.lastCommit!.time <= time)
            case .notReached(let end):
                #expect(halting == nil)
                #expect(end?.record == fixture.records.last)
            case .beforeStart: Issue.record("\(time) is not before the start")
            }
        }
    }

    @Test func `a prepared transaction is found under its own number`() throws {
        let fixture = WalFixture.plain
        let line = WalFixture.lines("plain/waldump.txt").first { $0.contains("COMMIT_PREPARED") }
        let judge = try #require(line.flatMap { JudgedEntry($0) })
        guard case .commit(let transaction) = judge.event else { preconditionFailure("no commit") }
        var finder = StopFinder(.transaction(transaction), scanner: try fixture.scanner())
        try Self.feed(&finder, fixture.bytes, from: fixture.start, piece: .max)
        #expect(Self.stop(finder.outcome)?.record == judge.first)
        #expect(Self.stop(finder.outcome)?.commitTime == judge.time)
    }
}
