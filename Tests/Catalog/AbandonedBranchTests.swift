import Model
import Testing

@testable import Catalog

/// Windows promise no time that `restore` refuses for having two histories.
@Suite struct AbandonedBranchTests {
    private func time(_ text: String) -> CommitTime { CommitTime("2026-11-30T00:\(text)Z")! }

    private func branch(_ first: String, _ takeover: String?) -> AbandonedBranch {
        AbandonedBranch(
            timeline: TimelineID("1"), successor: TimelineID("2"), fork: 100, first: time(first),
            last: time("20:00"), takeover: takeover.map { time($0) })
    }

    private func windows(_ branches: AbandonedBranch...) -> [String] {
        let whole = RecoveryWindow(
            timeline: TimelineID("2"), from: time("10:00"), to: time("30:00"))
        return whole.without(Outage.joined(branches.compactMap(\.doubt))).map {
            "\($0.from) \($0.to)"
        }
    }

    @Test func `a window is split around the times in doubt`() {
        #expect(
            windows(branch("15:00", "21:00.000001")) == [
                "2026-11-30T00:10:00.000Z 2026-11-30T00:14:59.999Z",
                "2026-11-30T00:21:00.001Z 2026-11-30T00:30:00.000Z",
            ])
    }

    @Test func `both ends of it are exact as restore sees them`() {
        let branch = branch("15:00", "21:00")
        #expect(!branch.claims(time("14:59.999999")) && branch.claims(time("15:00")))
        #expect(branch.claims(time("20:59.999999")) && !branch.claims(time("21:00")))
    }

    @Test func `a successor without a commit leaves all behind it in doubt`() {
        #expect(
            windows(branch("15:00", nil)) == ["2026-11-30T00:10:00.000Z 2026-11-30T00:14:59.999Z"])
        #expect(windows(branch("05:00", nil)).isEmpty)
    }

    @Test func `a branch outside of a window, or over before its successor, cuts nothing`() {
        let whole = ["2026-11-30T00:10:00.000Z 2026-11-30T00:30:00.000Z"]
        #expect(windows(branch("01:00", "05:00")) == whole)
        #expect(windows(branch("40:00", "41:00")) == whole)
        #expect(windows(branch("15:00", "14:00")) == whole)
    }

    @Test func `two takeovers leave three windows`() {
        #expect(windows(branch("12:00", "13:00"), branch("20:00", "25:00")).count == 3)
    }
}
