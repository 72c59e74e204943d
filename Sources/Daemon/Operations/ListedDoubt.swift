package import Model
package import Monitoring
package import Recovery

/// A stretch of time of `list` in which a source had two histories: which one is meant has to be
/// said.
package struct ListedDoubt: Sendable, Encodable {
    /// From the first commit that only the abandoned timeline has, up to the first on the one that
    /// went on; nil where none is known there.
    package var from: Millis
    package var to: Millis?
    package var timeline: TimelineID
    package var successor: TimelineID

    package init(_ branch: AbandonedBranch) {
        from = Millis(branch.first)
        to = branch.takeover.map(Millis.init)
        timeline = branch.timeline
        successor = branch.successor
    }

    /// What is left of windows without the times that a restore refuses; a branch that was over
    /// before its successor began leaves nothing in doubt.
    package static func windows(
        _ windows: [RecoveryWindow], without branches: [AbandonedBranch]
    ) -> [RecoveryWindow] {
        branches.filter(\.isInDoubt).reduce(windows) { windows, branch in
            windows.flatMap { cut($0, branch) }
        }
    }

    private static func cut(
        _ window: RecoveryWindow, _ branch: AbandonedBranch
    ) -> [RecoveryWindow] {
        guard branch.first <= window.to, branch.takeover.map({ $0 > window.from }) ?? true else {
            return [window]
        }
        var left: [RecoveryWindow] = []
        if branch.first > window.from {
            var before = window
            before.to = CommitTime(microseconds: branch.first.microseconds - 1)
            left.append(before)
        }
        if let takeover = branch.takeover, takeover <= window.to {
            var behind = window
            // Printed in milliseconds, rounded down: the printed start is itself certain.
            let part = takeover.microseconds % 1000
            behind.from = CommitTime(
                microseconds: takeover.microseconds + (part == 0 ? 0 : 1000 - part))
            if behind.from <= behind.to { left.append(behind) }
        }
        return left
    }
}

extension AbandonedBranch {
    /// Whether there is a time that `claims` refuses.
    package var isInDoubt: Bool { takeover.map { first < $0 } ?? true }
}
