private import CPlatform
package import Model
import Glibc

/// A program run as a child process. One thread of its own feeds it, reads it and reaps it.
///
/// Its standard output and error are kept (bounded) or written to a file. The end of the process
/// itself ends the reading, even when a grandchild (a server that `pg_ctl` started) still holds the
/// pipes. Every call blocks at most as long as it says; call from threads, not from the pool.
package final class Subprocess: Sendable {
    struct State: Sendable {
        var started: Result<Int32, TidemarkError>?
        var status: ExitStatus?
        var output: OutputTail
        var errors: OutputTail
    }

    /// Process id; it names this process only until it has ended.
    package let pid: Int32
    /// The program, for messages.
    package let name: String
    private let state: Monitor<State>

    /// Starts a program. `program` is a path, or a name to be looked up in PATH.
    ///
    /// Throws `toolMissing` when there is no such program.
    package init(
        _ program: String, _ arguments: [String] = [], _ options: SubprocessOptions = .init()
    ) throws(TidemarkError) {
        let launch = try ProcessLaunch(program, arguments, options)
        name = launch.name
        let tail = OutputTail(limit: options.keptOutput)
        let state = Monitor(State(output: tail, errors: tail))
        self.state = state
        // Started on the supervising thread: Linux sends the parent-death signal when the *thread*
        // that made the child ends.
        _ = DedicatedThread("child") { () throws(TidemarkError) in
            ProcessSupervisor.run(launch, input: options.input, state)
        }
        guard let started = state.wait({ $0.started }) else {
            preconditionFailure("a wait without limit ended without a result")
        }
        pid = try started.get()
    }

    /// Runs a program to its end. Throws `failed` when it takes longer than `seconds`, after
    /// killing it; a bad exit status is not an error here.
    @discardableResult
    package static func run(
        _ program: String, _ arguments: [String] = [], _ options: SubprocessOptions = .init(),
        seconds: Double
    ) throws(TidemarkError) -> CompletedProcess {
        let process = try Subprocess(program, arguments, options)
        guard let status = process.wait(seconds: seconds) else {
            process.signal(SIGKILL)
            _ = process.wait()
            throw TidemarkError(
                .failed, "\(process.name) did not finish within \(seconds) s and was killed",
                remedy: "its last words: \(process.errors.suffix(300))")
        }
        return process.state.read {
            CompletedProcess(
                status: status, outputBytes: $0.output.bytes,
                droppedOutputBytes: $0.output.droppedBytes, errors: $0.errors.text)
        }
    }

    /// Blocks until the process has ended; nil when it still runs after `seconds`.
    @discardableResult
    package func wait(seconds: Double = .infinity) -> ExitStatus? {
        state.wait(seconds: seconds) { $0.status }
    }

    /// How it ended; nil while it runs.
    package var status: ExitStatus? { state.read { $0.status } }

    /// Sends a signal; does nothing when the process has ended, so it never hits a stranger.
    package func signal(_ number: Int32) {
        // Reaping happens under the same lock: while it is held the pid is ours.
        state.read { if $0.status == nil { Glibc.kill(pid, number) } }
    }

    /// What it printed so far, the last bytes of it.
    package var output: String { state.read { $0.output.text } }
    /// What it printed on standard error so far, the last bytes of it.
    package var errors: String { state.read { $0.errors.text } }

    /// Blocks until the outputs satisfy `condition`; false when the process ended or `seconds`
    /// passed before. `condition` gets (output, errors) and runs with the lock held.
    package func waitForOutput(
        seconds: Double, _ condition: (String, String) -> Bool
    ) -> Bool {
        state.wait(seconds: seconds) { state -> Bool? in
            if condition(state.output.text, state.errors.text) { return true }
            return state.status == nil ? nil : false
        } ?? false
    }
}
