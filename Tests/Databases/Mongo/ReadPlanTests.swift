import Model
import TestKit
import Testing

@testable import Mongo

/// How a base backup is cut into parts, and how their documents come together again.
@Suite struct ReadPlanTests {
    private let ids: [BSONValue] = (0..<1000).map { .int32($0) }

    @Test func `a small collection is one stretch, a large one many, a huge one bounded`() {
        let range = ReadPlan.rangeBytes
        #expect(ReadPlan.ranges(.init(bytes: 0, documents: 0)) == 1)
        #expect(ReadPlan.ranges(.init(bytes: 2 * range - 1, documents: 1_000_000)) == 1)
        #expect(ReadPlan.ranges(.init(bytes: 10 * range, documents: 1_000_000)) == 10)
        #expect(
            ReadPlan.ranges(.init(bytes: .max, documents: .max)) == ReadPlan.rangeLimit)
        // Of few large documents no more are drawn than a server draws without reading all.
        let large = ReadPlan.Size(bytes: 100 * range, documents: 500)
        #expect(ReadPlan.ranges(large) == 20)
        #expect(ReadPlan.draws(large, ranges: 20) == 20)
        #expect(ReadPlan.ranges(.init(bytes: 100 * range, documents: 3)) == 1)
    }

    @Test func `stretches follow each other without a hole, from the beginning to the end`() {
        for count in [0, 1, 2, 7, 50, 1000] {
            for ranges in [1, 2, 3, 10, 64] {
                let cut = ReadPlan.cut(Array(ids.prefix(count)), into: ranges)
                #expect(cut.first?.first == nil && cut.last?.end == nil)
                #expect(cut.count <= ranges)
                for (one, next) in zip(cut, cut.dropFirst()) {
                    #expect(one.end != nil && one.end == next.first && one.first != one.end)
                }
            }
        }
    }

    @Test func `what was drawn twice, and the ends of the order, are no places to cut`() {
        let least = BSONValue(.minKey, [])
        let greatest = BSONValue(.maxKey, [])
        let drawn: [BSONValue] = [least, least, .int32(1), .int32(1), .int32(1), greatest]
        let one = BSONValue.int32(1)
        #expect(
            ReadPlan.cut(drawn, into: 6) == [
                IDRange(first: nil, end: one), IDRange(first: one, end: nil),
            ])
        #expect(ReadPlan.cut([greatest], into: 9) == [.whole])
    }

    @Test func `capped and clustered collections, and those without the index, are one stretch`() {
        func isSplittable(
            _ options: [(String, BSONValue)], key: String = "_id", isClustered: Bool = false
        ) -> Bool {
            let index = BSONDocument([
                ("key", .document(BSONDocument([(key, .int32(1))]))),
                ("clustered", .bool(isClustered)),
            ])
            return ReadPlan.isSplittable(
                DumpedCollection(
                    namespace: Namespace("a", "b"), type: "collection",
                    options: BSONDocument(options), uuid: nil),
                BSONDocument([("indexes", .array([.document(index)]))]))
        }
        #expect(isSplittable([]))
        #expect(!isSplittable([("capped", .bool(true))]))
        #expect(!isSplittable([("clusteredIndex", .bool(true))]))
        #expect(!isSplittable([("autoIndexId", .bool(false))]))
        #expect(!isSplittable([], key: "other"))
        #expect(!isSplittable([], isClustered: true))
    }

    @Test func `a lost cursor goes on behind the last document, or anew where that is not known`() {
        var byID = ReadPlace(.byID(IDRange(first: .int32(1), end: .int32(9))))
        byID.goOn(isExact: false)
        #expect(byID.order == .byID(IDRange(first: .int32(1), end: .int32(9))))
        byID.pass(3, last: .int32(4))
        byID.goOn(isExact: false)
        #expect(byID.order == .byID(IDRange(first: .int32(4), end: .int32(9))))
        #expect(byID.known == .int32(4))
        #expect(!byID.omitsGreatest)

        var last = ReadPlace(.byID(IDRange(first: .int32(1), end: nil)))
        #expect(last.omitsGreatest)
        last.pass(1, last: BSONValue(.maxKey, []))
        #expect(!last.omitsGreatest && last.isAtGreatest)

        var natural = ReadPlace(.natural)
        natural.pass(100, last: .int32(7))
        natural.goOn(isExact: true)
        #expect(natural.skip == 100)
        natural.goOn(isExact: false)
        #expect(natural.skip == 0)
        #expect(!natural.omitsGreatest)
    }

    /// Readers and whoever hands on take turns by chance; nothing may depend on it.
    @Test(arguments: 0..<50) func `documents come in order and within the limit`(_ seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let limit = 1000
        let parts = (0..<Int.random(in: 1...20, using: &random)).map { part in
            (0..<Int.random(in: 0...6, using: &random)).map { piece in
                [UInt8](
                    repeating: UInt8(part * 8 + piece),
                    count: Int.random(
                        in: 1...(random.next() % 10 == 0 ? 3000 : 400), using: &random))
            }
        }
        var schedule = ReadSchedule(parts: parts.count, byteLimit: limit, partLimit: 5)
        var readers: [(part: Int, pieces: ArraySlice<[UInt8]>)?] = [nil, nil, nil]
        var taken: [[[UInt8]]] = [[]]
        var idle = 0
        while schedule.front < parts.count {
            idle += 1
            #expect(idle < 1000, "seed \(seed): nobody gets on")
            if idle == 1000 { return }
            let turn = Int.random(in: 0...readers.count, using: &random)
            if turn == readers.count {
                guard let piece = schedule.take() else { continue }
                idle = 0
                switch piece {
                case .documents(let bytes): taken[taken.count - 1].append(bytes)
                case .end: taken.append([])
                }
            } else if var reading = readers[turn] {
                if let next = reading.pieces.first {
                    guard schedule.put(next, of: reading.part) == true else { continue }
                    reading.pieces.removeFirst()
                    readers[turn] = reading
                } else {
                    schedule.end(reading.part)
                    readers[turn] = nil
                }
                idle = 0
                let most = parts.joined().map(\.count).max() ?? 0
                #expect(schedule.bytes <= limit + most)
            } else if case .part(let part) = schedule.begin() {
                #expect(part < schedule.front + 5)
                readers[turn] = (part, parts[part][...])
            }
        }
        #expect(Array(taken.dropLast()) == parts, "seed \(seed)")
        #expect(schedule.bytes == 0)
    }

    @Test func `nobody reads on after a failure or when it is stopped`() {
        var failed = ReadSchedule(parts: 3, byteLimit: 10, partLimit: 3)
        #expect(failed.begin() == .part(0))
        failed.fail(TidemarkError(.sourceUnreachable, "gone"))
        failed.fail(TidemarkError(.failed, "later"))
        #expect(failed.failure?.code == .sourceUnreachable)
        #expect(failed.put([1], of: 0) == false)
        #expect(failed.begin() == .nothing)
        var stopped = ReadSchedule(parts: 3, byteLimit: 10, partLimit: 3)
        stopped.stop()
        #expect(stopped.put([1], of: 0) == false)
        #expect(stopped.begin() == .nothing)
    }
}
