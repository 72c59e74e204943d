import Model
@testable import Postgres
import Testing

/// The arithmetic of proofs and marks.
@Suite struct InspectTests {
    private func bound() -> InspectBound { InspectBound(segmentBytes: 16 << 20, pageBytes: 8192) }

    @Test(arguments: [
        (UInt64(0x300_0028), UInt64(0x300_0000)), (0x300_2018, 0x300_2000),
        (0x300_0018, 0x300_0018), (0x300_2028, 0x300_2028), (0x300_0148, 0x300_0148),
        (0x300_0000, 0x300_0000), (0x300_2020, 0x300_2020),
    ])
    func `a position behind an empty page's header is the page's start`(
        insert: UInt64, written: UInt64
    ) {
        #expect(bound().written(insert) == written)
    }

    @Test func `while no transaction ends, the bound stays`() {
        var bound = bound()
        #expect(bound.bound(snapshot: "10:10:", prepared: "0", insert: 0x300_1000) == 0x300_1000)
        #expect(bound.bound(snapshot: "10:10:", prepared: "0", insert: 0x300_9000) == 0x300_1000)
        #expect(bound.bound(snapshot: "10:12:10", prepared: "0", insert: 0x300_9100) == 0x300_9100)
        #expect(bound.bound(snapshot: "10:12:10", prepared: "0", insert: 0x400_0000) == 0x300_9100)
        bound.forget()
        #expect(bound.bound(snapshot: "10:12:10", prepared: "0", insert: 0x400_0100) == 0x400_0100)
    }

    @Test func `a transaction that was prepared moves the bound, and so does its end`() {
        var bound = bound()
        #expect(bound.bound(snapshot: "10:11:10", prepared: "0", insert: 0x300_1000) == 0x300_1000)
        // PREPARE leaves its number among the running ones.
        #expect(
            bound.bound(snapshot: "10:11:10", prepared: "1 x", insert: 0x300_9000) == 0x300_9000)
        #expect(
            bound.bound(snapshot: "10:11:10", prepared: "1 x", insert: 0x300_9900) == 0x300_9000)
        #expect(
            bound.bound(snapshot: "10:11:10", prepared: "1 y", insert: 0x300_9900) == 0x300_9900)
    }

    @Test func `nothing is concluded from a missing snapshot or a position that went back`() {
        var bound = bound()
        #expect(bound.bound(snapshot: "", prepared: "0", insert: 0x300_1000) == 0x300_1000)
        #expect(bound.bound(snapshot: "", prepared: "0", insert: 0x300_2000) == 0x300_2000)
        #expect(bound.bound(snapshot: "1:1:", prepared: "0", insert: 0x300_3000) == 0x300_3000)
        #expect(bound.bound(snapshot: "1:1:", prepared: "0", insert: 0x200_0100) == 0x200_0100)
    }

    @Test(arguments: [
        // On one page; behind a page header; over a page; over a segment; up to a page's end.
        (UInt64(0x300_0168), UInt64(0x300_0100)), (0x300_2080, 0x300_2018),
        (0x300_2030, 0x300_1FB0), (0x400_0040, 0x3FF_FFB0), (0x300_2000, 0x300_1F98),
    ])
    func `the start of a restore point's record follows from its end`(end: UInt64, start: UInt64) {
        #expect(
            RestorePointRecord.start(end: end, segmentBytes: 16 << 20, pageBytes: 8192) == start)
    }

    @Test func `headroom is forecast from the rate of the last minutes`() {
        var window = InspectWindow()
        let at = { (seconds: Double) in
            MonotonicTime(nanoseconds: 0).advanced(bySeconds: seconds)
        }
        window.saw(1000, at(0))
        #expect(window.window(status: "reserved", safeBytes: 500).headroomSeconds == nil)
        window.saw(1100, at(10))
        let seen = window.window(status: "reserved", safeBytes: 500)
        #expect(seen.kind == "slot")
        #expect(seen.headroomBytes == 500)
        #expect(seen.headroomSeconds == 50)
        #expect(window.window(status: "reserved", safeBytes: nil).headroomBytes == nil)
        #expect(window.window(status: "unreserved", safeBytes: -9).headroomBytes == 0)
        #expect(window.window(status: "lost", safeBytes: nil).headroomBytes == 0)
        // A server that went back, as after a promotion, is measured anew.
        window.saw(50, at(20))
        #expect(window.window(status: "reserved", safeBytes: 500).headroomSeconds == nil)
    }

    @Test(
        arguments: [
            ("", 1, [], false), ("tidemark", 1, ["tidemark"], true), ("*", 1, ["*"], false),
            ("a, TideMark", 1, ["a", "TideMark"], false),
            ("FIRST 2 (tidemark, a)", 2, ["tidemark", "a"], true),
            ("ANY 1 (\"tidemark\", \"b c\")", 1, ["tidemark", "b c"], false),
            ("2(tidemark,a,b)", 2, ["tidemark", "a", "b"], false), ("ANY 1 (a)", 1, ["a"], false),
        ] as [(String, Int, [String], Bool)])
    func `synchronous_standby_names tell when commits cannot do without us`(
        text: String, needed: Int, names: [String], needs: Bool
    ) {
        let parsed = SyncStandbyNames(text)
        #expect(parsed.needed == needed)
        #expect(parsed.names == names)
        #expect(parsed.needs("tidemark") == needs)
    }
}
