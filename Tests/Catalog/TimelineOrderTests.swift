import Catalog
import Model
import Testing

/// Which of several timelines is the newest.
@Suite struct TimelineOrderTests {
    private let a = TimelineID("aaaa")
    private let b = TimelineID("bbbb")
    private let c = TimelineID("cccc")

    @Test func `numbers count up, whatever the watermark says`() {
        let order = TimelineOrder(ancestors: [:])
        let some = ["2", "10", "9"].map { TimelineID($0) }
        #expect(order.newest(of: some, marked: TimelineID("9")) == TimelineID("10"))
        #expect(order.newest(of: [], marked: nil) == nil)
    }

    @Test func `ids follow the watermark, or the child that was seen later`() {
        let order = TimelineOrder(ancestors: [a: [Ancestor(timeline: c, end: 5)]])
        #expect(order.newest(of: [a, b, c], marked: b) == b)
        #expect(order.newest(of: [a, c], marked: c) == c)
        let times = [
            a: CommitTime(microseconds: 9), b: CommitTime(microseconds: 20),
            c: CommitTime(microseconds: 8),
        ]
        #expect(order.newest(of: [a, b, c], marked: c) { times[$0] } == a)
    }

    @Test func `without a watermark the leaf seen last is the newest`() {
        let order = TimelineOrder(ancestors: [a: [Ancestor(timeline: c, end: 5)]])
        let times = [a: CommitTime(microseconds: 9), b: CommitTime(microseconds: 20)]
        #expect(order.newest(of: [a, b, c], marked: nil) { times[$0] } == b)
        #expect(order.newest(of: [a, c], marked: nil) { _ in nil } == a)
    }
}
