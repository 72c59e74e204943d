package import Model

extension ObjectiveState {
    /// Exposure against the objective: over half is at risk, over it breached; unknown is breached.
    package init(exposure: Double?, rpo: Double) {
        guard let exposure else {
            self = .breached
            return
        }
        self = exposure > rpo ? .breached : exposure > rpo / 2 ? .atRisk : .met
    }
}
