import Model
import Platform

/// Runs blocking test work on a thread of its own and suspends until it is done.
///
/// The work stays part of the running test (same task), so `#expect` and `#require` inside it are
/// counted for that test. Never block a test directly: with every thread of the pool blocked no
/// time limit fires.
package func offPool<Value: Sendable>(
    _ body: @Sendable () throws -> Value
) async throws -> Value {
    try await ThreadActor().run(body)
}

/// An actor that lives on a thread of its own, for one call.
private actor ThreadActor {
    private nonisolated let executor = OneShotExecutor()

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    func run<Value: Sendable>(_ body: @Sendable () throws -> Value) throws -> Value {
        try body()
    }
}

/// Starts a thread for each job; its actor has only one job at a time, so order is kept.
private final class OneShotExecutor: SerialExecutor {
    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        _ = DedicatedThread("test") { () throws(TidemarkError) in
            job.runSynchronously(on: self.asUnownedSerialExecutor())
        }
    }
}
