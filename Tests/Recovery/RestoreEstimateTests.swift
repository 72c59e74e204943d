import Model
import Testing

@testable import Recovery

/// An estimate is never too good, and says what it rests on.
@Suite struct RestoreEstimateTests {
    private static let mebibyte: UInt64 = 1 << 20

    private static func measured(
        poured: UInt64? = nil, recovery: Double? = 4
    ) -> RestoreMeasurement {
        let at = CommitTime("2026-11-24T12:00:00Z")!
        return RestoreMeasurement(
            copy: .init(at: at, baseBytes: 100 << 20, replayBytes: poured, seconds: 10),
            recovery: recovery.map {
                .init(at: at, baseBytes: 100 << 20, replayBytes: 50 << 20, seconds: $0)
            })
    }

    private static func seconds(
        _ base: UInt64, _ replay: UInt64?, poured: UInt64? = nil
    ) -> Double? {
        RestoreEstimate(
            measured(poured: poured), baseBytes: base * mebibyte,
            replayBytes: replay.map { $0 * mebibyte }
        ).seconds
    }

    @Test func `what was measured is the least that another one takes`() {
        #expect(Self.seconds(100, 50) == 14)
        #expect(Self.seconds(1, 0) == 14)
        #expect(Self.seconds(0, 0) == 14)
    }

    @Test func `more to copy and more to replay take longer in proportion`() {
        // Recovery looks at every file too.
        #expect(Self.seconds(200, 50) == 28)
        #expect(Self.seconds(100, 150) == 22)
        #expect(Self.seconds(200, 150) == 32)
        // Where the stream is poured into the copy, that takes longer as well.
        #expect(Self.seconds(100, 150, poured: 50 << 20) == 42)
    }

    @Test func `a part of a mebibyte counts as a whole one`() {
        let estimate = RestoreEstimate(
            Self.measured(), baseBytes: 100 << 20 + 1, replayBytes: 0)
        #expect(estimate.seconds == 14 * 1.01)
    }

    @Test func `it never falls when there is more to do`() {
        var last = 0.0
        for size in stride(from: UInt64(0), to: 5000, by: 37) {
            let now = Self.seconds(size, size / 2) ?? .infinity
            #expect(now >= last)
            last = now
        }
    }

    @Test func `without a measurement of all of it there is none`() {
        let none = RestoreEstimate(nil, baseBytes: 1, replayBytes: 1)
        #expect(none.seconds == nil)
        #expect(none.basis.contains("no restore has been measured yet"))
        let copied = RestoreEstimate(
            Self.measured(recovery: nil), baseBytes: 1, replayBytes: 1)
        #expect(copied.seconds == nil)
        #expect(copied.basis.contains("only the copy of a restore has been measured"))
        #expect(Self.seconds(100, nil) == nil)
    }

    @Test func `of another order of magnitude nothing is told`() {
        #expect(Self.seconds(10_000, 50) == 1400)
        #expect(Self.seconds(10_001, 50) == nil)
        #expect(Self.seconds(100, 5001) == nil)
        let basis = RestoreEstimate(
            Self.measured(), baseBytes: 20_000 << 20, replayBytes: 0
        ).basis
        #expect(basis.contains("too much smaller"))
        #expect(basis.contains("2026-11-24T12:00:00Z, 100.0 MiB, 50.0 MiB of changes"))
    }

    @Test func `a later restore without a server keeps the recovery that was measured`() {
        let later = RestoreMeasurement(
            copy: .init(
                at: CommitTime("2026-11-25T12:00:00Z")!, baseBytes: 7, replayBytes: nil,
                seconds: 1))
        let kept = Self.measured().followed(by: later)
        #expect(kept.copy == later.copy)
        #expect(kept.recovery == Self.measured().recovery)
        #expect(later.followed(by: Self.measured()) == Self.measured())
    }
}
