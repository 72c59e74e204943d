/// What a timeline lacks amid what it has: its source told of it when everything up to a later
/// place had been archived as whole. A copy from that place on would lack it as well.
package struct LateLoss: Hashable, Sendable {
    /// The newest position that the timeline is whole up to.
    package var wholeUntil: UInt64
    /// Everything committed at or before it is there.
    package var wholeUntilTime: CommitTime
    /// Why nothing behind them is given: a clause without a full stop.
    package var reason: String

    package init(wholeUntil: UInt64, wholeUntilTime: CommitTime, reason: String) {
        self.wholeUntil = wholeUntil
        self.wholeUntilTime = wholeUntilTime
        self.reason = reason
    }
}
