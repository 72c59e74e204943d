import Glibc

/// State guarded by one pthread mutex with one condition; waiting is bounded.
///
/// For threads only; never used from the cooperative pool.
@safe
package final class Monitor<State>: @unchecked Sendable {
    // @unchecked: `state` is touched only while `mutex` is held.
    private var state: State
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>

    package init(_ state: State) {
        self.state = state
        unsafe mutex = .allocate(capacity: 1)
        unsafe condition = .allocate(capacity: 1)
        unsafe pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        unsafe pthread_condattr_init(&attributes)
        unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        unsafe pthread_cond_init(condition, &attributes)
        unsafe pthread_condattr_destroy(&attributes)
    }

    deinit {
        unsafe pthread_mutex_destroy(mutex)
        unsafe pthread_cond_destroy(condition)
        unsafe mutex.deallocate()
        unsafe condition.deallocate()
    }

    /// Runs `body` with the state and wakes every waiter afterwards.
    package func update<R>(_ body: (inout State) throws -> R) rethrows -> R {
        unsafe pthread_mutex_lock(mutex)
        defer {
            unsafe pthread_cond_broadcast(condition)
            unsafe pthread_mutex_unlock(mutex)
        }
        return try body(&state)
    }

    /// Runs `body` with the state; wakes nobody.
    package func read<R>(_ body: (State) throws -> R) rethrows -> R {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        return try body(state)
    }

    /// Waits until `body` returns a value, at most `seconds`; nil when the time is over.
    ///
    /// `body` runs with the lock held, at once and after every update, and may change the state.
    package func wait<R>(seconds: Double = .infinity, _ body: (inout State) -> R?) -> R? {
        unsafe pthread_mutex_lock(mutex)
        defer {
            unsafe pthread_cond_broadcast(condition)
            unsafe pthread_mutex_unlock(mutex)
        }
        if let result = body(&state) { return result }
        var deadline = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &deadline)
        let bounded = min(seconds, 1e8)
        let nanoseconds = deadline.tv_nsec + Int((bounded - bounded.rounded(.down)) * 1e9)
        deadline.tv_sec += Int(bounded) + nanoseconds / 1_000_000_000
        deadline.tv_nsec = nanoseconds % 1_000_000_000
        while true {
            let status = unsafe pthread_cond_timedwait(condition, mutex, &deadline)
            if let result = body(&state) { return result }
            if status == ETIMEDOUT { return nil }
        }
    }
}
