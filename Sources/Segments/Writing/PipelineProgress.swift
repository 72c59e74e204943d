import Model
import Platform
import Synchronization

/// How far the pipeline's threads are, and which side of it owns the tail.
///
/// A commit may be waiting while the stream thread asks; so the answer that is nearly always right
/// then, that the tail is its own and nothing has failed, is read without the lock.
final class PipelineProgress: Sendable {
    private struct State {
        /// Chunks submitted and not yet written.
        var inFlight = 0
        /// Whether the stream thread owns the tail.
        var isTaken = true
        /// The writing thread syncs although no chunk is in flight.
        var isSyncing = false
        var failure: TidemarkError?
    }

    private let state = Monitor(State())
    /// Everything below is durable.
    private let durable = Atomic<UInt64>(0)
    /// As in `state`; changed with its lock held, and by the stream thread alone.
    private let isTaken = Atomic<Bool>(true)
    /// Whether there is a failure in `state`.
    private let isFailed = Atomic<Bool>(false)

    // MARK: the stream thread's side

    /// What is durable so far; throws what a worker met.
    func poll() throws(TidemarkError) -> UInt64 {
        let durable = durable.load(ordering: .acquiring)
        if hasFailed, let failure = state.read({ $0.failure }) { throw failure }
        return durable
    }

    /// The stream thread made more durable itself, or a timeline begins.
    func setDurable(_ position: UInt64) { durable.store(position, ordering: .releasing) }

    /// Waits until every chunk is written, and takes the tail.
    func take() throws(TidemarkError) {
        if isTaken.load(ordering: .relaxed), !hasFailed { return }
        let failure: TidemarkError?? = state.wait { state in
            guard state.inFlight == 0, !state.isSyncing else { return nil }
            state.isTaken = true
            isTaken.store(true, ordering: .relaxed)
            return .some(state.failure)
        }
        if let failure, let failure { throw failure }
    }

    /// A chunk is on its way, and the tail the writing thread's; returns what a worker met.
    func submit() -> TidemarkError? {
        state.update { state in
            state.isTaken = false
            isTaken.store(false, ordering: .relaxed)
            state.inFlight += 1
            return state.failure
        }
    }

    // MARK: everybody's

    var hasFailed: Bool { isFailed.load(ordering: .acquiring) }

    /// The first failure counts; true when this is it.
    @discardableResult
    func fail(_ error: TidemarkError) -> Bool {
        state.update { state in
            guard state.failure == nil else { return false }
            state.failure = error
            isFailed.store(true, ordering: .releasing)
            return true
        }
    }

    // MARK: the writing thread's side

    /// A chunk is done; `position` is set when everything up to it is durable.
    func finish(durable position: UInt64?) {
        state.update { state in
            state.inFlight -= 1
            if let position, state.failure == nil { setDurable(position) }
        }
    }

    /// Whether the writing thread may sync now: the stream thread is not at it, and nothing comes.
    func beginSync() -> Bool {
        state.update { state in
            state.isSyncing = !state.isTaken && state.inFlight == 0 && state.failure == nil
            return state.isSyncing
        }
    }

    func endSync(durable position: UInt64) {
        state.update { state in
            state.isSyncing = false
            if state.failure == nil { setDurable(position) }
        }
    }
}
