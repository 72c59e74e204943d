package import Model

/// What the dashboard asks about going back, answered from memory as all of `SidecarView`.
package protocol RecoveryView: Sendable {
    /// What the archive holds, on one time axis.
    func timeline() -> TimelineDocument
    /// Whether all sources can be restored to a moment of the sources' clocks, and how.
    func moment(_ at: CommitTime) -> MomentDocument
}
