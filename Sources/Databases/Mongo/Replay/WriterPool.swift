import Model
import Platform

/// Connections that write at the same time, each on a thread of its own.
///
/// What is handed in is done in any order; `wait` is the barrier. After a failure nothing more is
/// begun, and everyone who hands in or waits gets it.
final class WriterPool: Sendable {
    typealias Job = @Sendable (Connection) throws(TidemarkError) -> Void

    private struct State: Sendable {
        var jobs: [Job] = []
        var running = 0
        var failure: TidemarkError?
        var isClosed = false
    }

    private let state = Monitor(State())
    private let limit: Int

    /// - Parameter width: connections; twice as many jobs may wait.
    init(_ configuration: MongoConfiguration, width: Int) {
        limit = 2 * width
        for number in 0..<width {
            // It ends with `close`; its failures are in the state.
            _ = DedicatedThread("restore-\(number)") { [state] () throws(TidemarkError) in
                Self.work(configuration, state)
            }
        }
    }

    deinit { state.update { $0.isClosed = true } }

    private static func work(_ configuration: MongoConfiguration, _ state: Monitor<State>) {
        var connection: Connection?
        while true {
            let job = state.wait { state -> Job?? in
                if state.isClosed { return .some(nil) }
                guard !state.jobs.isEmpty else { return nil }
                state.running += 1
                return .some(state.jobs.removeFirst())
            }
            guard let job = job ?? nil else { return }
            do throws(TidemarkError) {
                if connection == nil { connection = try Connection(configuration) }
                if let connection { try job(connection) }
                state.update { $0.running -= 1 }
            } catch {
                state.update { state in
                    state.running -= 1
                    state.failure = state.failure ?? error
                    state.jobs = []
                }
            }
        }
    }

    /// - Parameter waits: until there is room for it; not for what is part of a bounded whole.
    func submit(waits: Bool = true, _ job: @escaping Job) throws(TidemarkError) {
        let failure = state.wait { [limit] state -> TidemarkError?? in
            if let failure = state.failure { return failure }
            guard !waits || state.jobs.count < limit else { return nil }
            state.jobs.append(job)
            return .some(nil)
        }
        if let failure = failure ?? nil { throw failure }
    }

    /// Whether everything handed in is begun.
    var isRunningOut: Bool { state.read { $0.jobs.isEmpty } }

    /// Waits until everything handed in is done.
    func wait() throws(TidemarkError) {
        let failure = state.wait { state -> TidemarkError?? in
            // What runs may still write: not even a failure returns before it has ended.
            guard state.running == 0 else { return nil }
            if let failure = state.failure { return failure }
            return state.jobs.isEmpty ? .some(nil) : nil
        }
        if let failure = failure ?? nil { throw failure }
    }
}
