package import Model
import Platform

/// Runs a list of jobs on a few threads; the results keep the order of the jobs.
package enum ParallelWork {
    private struct State<Output: Sendable> {
        var next = 0
        var outputs: [Output?]
        var running: Int
        var failure: TidemarkError?
    }

    /// Blocks until all are done. The first error ends the rest. `tick` runs on the calling thread,
    /// several times a second; what it throws ends the rest too.
    package static func map<Input: Sendable, Output: Sendable>(
        _ inputs: [Input], threads: Int, tick: () throws(TidemarkError) -> Void,
        _ body: @escaping @Sendable (Input) throws(TidemarkError) -> Output
    ) throws(TidemarkError) -> [Output] {
        let count = min(threads, inputs.count)
        let state = Monitor(
            State<Output>(outputs: Array(repeating: nil, count: inputs.count), running: count))
        for number in 0..<count {
            _ = DedicatedThread("check-\(number)") { () throws(TidemarkError) in
                work(state, inputs, body)
            }
        }
        while state.wait(seconds: 0.2, { $0.running == 0 ? true : nil }) == nil {
            do throws(TidemarkError) {
                try tick()
            } catch {
                state.update { $0.failure = $0.failure ?? error }
                let _: Bool? = state.wait { $0.running == 0 ? true : nil }
            }
        }
        if let failure = state.read({ $0.failure }) { throw failure }
        return state.read { $0.outputs.compactMap { $0 } }
    }

    private static func work<Input: Sendable, Output: Sendable>(
        _ state: Monitor<State<Output>>, _ inputs: [Input],
        _ body: @Sendable (Input) throws(TidemarkError) -> Output
    ) {
        while true {
            let index: Int? = state.update { state in
                guard state.failure == nil, state.next < inputs.count else { return nil }
                defer { state.next += 1 }
                return state.next
            }
            guard let index else { break }
            do throws(TidemarkError) {
                let output = try body(inputs[index])
                state.update { $0.outputs[index] = output }
            } catch {
                state.update { $0.failure = $0.failure ?? error }
            }
        }
        state.update { $0.running -= 1 }
    }
}
