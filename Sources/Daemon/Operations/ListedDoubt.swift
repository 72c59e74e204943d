package import Catalog
package import Model
package import Monitoring

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
}
