/// Failures that a test orders, and the trace of the calls that were made.
///
/// The program itself never has one: `SystemCalls` then only compares a pointer with nil.
package final class SystemFaults: Sendable {
    /// One call that was made, failed or not.
    package struct Record: Hashable, Sendable {
        package var call: SystemCall
        package var path: String
    }

    private struct Order {
        var call: SystemCall
        var number: Int32
        var times: Int
        var skipped: Int
        var suffix: String
    }

    private struct State {
        var orders: [Order] = []
        var trace: [Record] = []
        var writeLimit = Int.max
    }

    private let state = Monitor(State())

    package init() {}

    /// The next `times` calls on paths that end with `suffix` fail with this errno, after `skipped`
    /// of them have gone through.
    package func fail(
        _ call: SystemCall, with number: Int32, times: Int = 1, skipping skipped: Int = 0,
        path suffix: String = ""
    ) {
        state.update {
            $0.orders.append(
                Order(call: call, number: number, times: times, skipped: skipped, suffix: suffix))
        }
    }

    /// From now on one write takes at most this many bytes, as a full disk or a signal would have
    /// it.
    package func limitWrites(to bytes: Int) {
        precondition(bytes > 0, "a write takes at least a byte")
        state.update { $0.writeLimit = bytes }
    }

    /// Forgets orders, limit and trace.
    package func clear() { state.update { $0 = State() } }

    /// The calls made so far, in order.
    package var trace: [Record] { state.read { $0.trace } }

    /// Notes the call; the errno it shall fail with, nil when it goes through.
    func take(_ call: SystemCall, _ path: String) -> Int32? {
        state.update { state in
            state.trace.append(Record(call: call, path: path))
            let match = state.orders.firstIndex { $0.call == call && path.hasSuffix($0.suffix) }
            guard let match else { return nil }
            if state.orders[match].skipped > 0 {
                state.orders[match].skipped -= 1
                return nil
            }
            let number = state.orders[match].number
            state.orders[match].times -= 1
            if state.orders[match].times == 0 { state.orders.remove(at: match) }
            return number
        }
    }

    var writeLimit: Int { state.read { $0.writeLimit } }
}
