package import Model

/// A restore of one source that is planned and checked, and has written nothing yet.
package struct PreparedRestore: Sendable {
    package var request: CopyRequest
    package var plan: RestorePlan
    /// What the room had to say of the destination.
    package var notices: RestoreNotices
    /// Time that planning and checking took.
    package var seconds: Double
}
