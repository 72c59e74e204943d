import Model
import Redis
import TestKit
import Testing

struct StopSearchTests {
    private static let descriptor = SourceDescriptor(
        source: testSource, kind: .redis, identity: "r", majorVersion: "7.0", segmentBytes: 1 << 24,
        created: CommitTime(microseconds: 0))

    private let commands: [[UInt8]] = [
        resp(["SET", "a", "1"]), resp(["MULTI"]), resp(["INCR", "b"]), resp(["EXEC"]),
        resp(["SET", "c", "1"]),
    ]
    private var bytes: [UInt8] { commands.flatMap { $0 } }
    /// Ends of the three transactions, when the stream begins at 100.
    private var edges: [UInt64] {
        let sizes = commands.map { UInt64($0.count) }
        return [
            100 + sizes[0], 100 + sizes[0...3].reduce(0, +), 100 + sizes.reduce(0, +),
        ]
    }

    private func answer(
        _ question: StopQuestion, _ index: [TimeIndexEntry] = [], cut: Int? = nil
    ) throws -> StopAnswer {
        let search = RedisReplayer().search(
            question, of: Self.descriptor, on: TimelineID("r"))
        search.index(index)
        let cut = cut ?? bytes.count
        let first = Array(bytes[..<cut])
        let second = Array(bytes[cut...])
        if let answer = try search.take(first.span.bytes, at: 100) { return answer }
        if let answer = try search.take(second.span.bytes, at: 100 + UInt64(cut)) { return answer }
        return try search.finish()
    }

    private func end(_ answer: StopAnswer) -> UInt64? {
        switch answer {
        case .stop(let stop): stop.end
        case .absent(let last): last?.end
        case .earlier: nil
        }
    }

    @Test func `a position stops at the last whole transaction at or before it`() throws {
        for cut in 0...bytes.count {
            for position in 100...edges[2] {
                let expected = edges.last { $0 <= position } ?? 100
                let found = try answer(.position(position), cut: cut)
                guard end(found) == expected else {
                    Issue.record("\(position), cut at \(cut): \(found)")
                    return
                }
            }
        }
        #expect(try answer(.position(99)) == .earlier)
    }

    @Test func `a time stops before the first stretch of which everything is later`() throws {
        func at(_ second: Int64) -> CommitTime { CommitTime(microseconds: second * 1_000_000) }
        let index = [
            TimeIndexEntry(position: 100, earliest: at(1), latest: at(1)),
            TimeIndexEntry(position: edges[0], earliest: at(2), latest: at(2)),
            TimeIndexEntry(position: edges[1], earliest: at(4), latest: at(5)),
        ]
        for cut in 0...bytes.count {
            #expect(try end(answer(.time(at(1)), index, cut: cut)) == edges[0])
            #expect(try end(answer(.time(at(3)), index, cut: cut)) == edges[1])
            // What of this stretch came in time nobody knows: all of it stays.
            #expect(try end(answer(.time(at(4)), index, cut: cut)) == edges[2])
            #expect(try end(answer(.time(at(5)), index, cut: cut)) == edges[2])
        }
        guard case .stop(let stop) = try answer(.time(at(3)), index) else {
            Issue.record("not found")
            return
        }
        #expect(stop.time == at(2))
    }

    @Test func `the time of a position is just before what it leaves out was made`() throws {
        func at(_ second: Int64) -> CommitTime { CommitTime(microseconds: second * 1_000_000) }
        let index = [
            TimeIndexEntry(position: 100, earliest: at(10), latest: at(11)),
            TimeIndexEntry(position: edges[0], earliest: at(12), latest: at(12)),
            // Came late, and after what stands before it.
            TimeIndexEntry(position: edges[1], earliest: at(3), latest: at(61)),
        ]
        let times: [(UInt64, Int64)] = [
            (edges[0] - 1, 10), (edges[0], 12), (edges[0] + 1, 12), (edges[1], 12), (edges[2], 12),
        ]
        for (position, second) in times {
            for question in [StopQuestion.position(position), .before(position)] {
                guard case .stop(let stop) = try answer(question, index) else {
                    Issue.record("not found")
                    continue
                }
                #expect(stop.time == CommitTime(microseconds: second * 1_000_000 - 1))
            }
        }
        guard case .stop(let stop) = try answer(.before(edges[1])) else {
            Issue.record("not found")
            return
        }
        #expect(stop.time == nil)
    }

    @Test func `a time within what came late is refused with both its ends`() throws {
        func at(_ second: Int64) -> CommitTime { CommitTime(microseconds: second * 1_000_000) }
        let index = [
            TimeIndexEntry(position: 100, earliest: at(10), latest: at(10)),
            // Came at 60 and 61, made after 12, which a watermark proves.
            TimeIndexEntry(position: edges[0], earliest: at(12), latest: at(60)),
            TimeIndexEntry(position: edges[1], earliest: at(11), latest: at(61)),
        ]
        for second: Int64 in [13, 40, 59, 60] {
            let error = #expect(throws: TidemarkError.self) {
                try answer(.time(at(second)), index)
            }
            #expect(error?.code == .targetOutsideWindow)
            #expect(error?.remedy.contains("--to 1970-01-01T00:00:12.000000Z") == true)
            #expect(error?.remedy.contains("--to 1970-01-01T00:01:01.000000Z") == true)
        }
        // The ends themselves, and what lies outside, are exact.
        for (second, end) in [(11, edges[0]), (12, edges[0]), (61, edges[2])] as [(Int64, UInt64)] {
            #expect(try self.end(answer(.time(at(second)), index)) == end, "\(second)")
        }
    }

    @Test func `the end is the last edge, not the last byte`() throws {
        let open = RedisReplayer().search(.end, of: Self.descriptor, on: TimelineID("r"))
        let bytes = self.bytes + resp(["MULTI"]) + resp(["SET", "x", "1"])
        #expect(try open.take(bytes.span.bytes, at: 100) == nil)
        #expect(try end(open.finish()) == edges[2])
    }
}
