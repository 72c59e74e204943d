import Platform

/// Asks threads to end; they wait on it instead of sleeping.
package final class StopSignal: Sendable {
    private let raised = Monitor<(isRaised: Bool, wakers: [@Sendable () -> Void])>((false, []))

    package init() {}

    package var isRaised: Bool { raised.read { $0.isRaised } }

    package func raise() {
        let wakers = raised.update { state in
            state.isRaised = true
            return state.wakers
        }
        for wake in wakers { wake() }
    }

    /// `wake` runs when the signal is raised, at once if it is already.
    package func onRaise(_ wake: @escaping @Sendable () -> Void) {
        let isRaised = raised.update { state in
            state.wakers.append(wake)
            return state.isRaised
        }
        if isRaised { wake() }
    }

    /// Waits at most `seconds`; true when the signal was raised.
    @discardableResult
    package func wait(seconds: Double) -> Bool {
        raised.wait(seconds: seconds) { $0.isRaised ? true : nil } ?? false
    }
}
