private import CPlatform
package import Model
import Glibc

/// One operating-system thread that runs one function; blocking calls are at home here.
package final class DedicatedThread<Success: Sendable>: Sendable {
    private let outcome = Monitor<Result<Success, TidemarkError>?>(nil)
    private let waiters = Monitor<[@Sendable (Result<Success, TidemarkError>) -> Void]>([])

    /// Starts the thread; `name` keeps at most 15 characters.
    package init(_ name: String, _ body: @escaping @Sendable () throws(TidemarkError) -> Success) {
        let box = ThreadBody { [self] in
            unsafe name.withCString { unsafe tm_name_thread($0) }
            let result: Result<Success, TidemarkError>
            do throws(TidemarkError) {
                result = .success(try body())
            } catch {
                result = .failure(error)
            }
            finish(result)
        }
        var thread = pthread_t()
        let status = unsafe pthread_create(
            &thread, nil,
            { argument in
                unsafe Unmanaged<ThreadBody>.fromOpaque(argument!).takeRetainedValue().run()
                return nil
            }, Unmanaged.passRetained(box).toOpaque())
        precondition(status == 0, "cannot start a thread: errno \(status)")
        pthread_detach(thread)
    }

    /// Blocks until the thread has ended; call it from another thread, not from the pool.
    package func join() throws(TidemarkError) -> Success {
        guard let result = outcome.wait({ $0 }) else {
            preconditionFailure("a wait without limit ended without a result")
        }
        return try result.get()
    }

    /// Waits at most `seconds`; nil when the thread still runs.
    package func join(seconds: Double) throws(TidemarkError) -> Success? {
        guard let result = outcome.wait(seconds: seconds, { $0 }) else { return nil }
        return try result.get()
    }

    /// Suspends until the thread has ended; for callers on the cooperative pool.
    package func value() async throws(TidemarkError) -> Success {
        let result = await withCheckedContinuation { continuation in
            let done: Result<Success, TidemarkError>? = waiters.update { list in
                if let result = outcome.read({ $0 }) { return result }
                list.append { continuation.resume(returning: $0) }
                return nil
            }
            if let done { continuation.resume(returning: done) }
        }
        return try result.get()
    }

    private func finish(_ result: Result<Success, TidemarkError>) {
        let list = waiters.update { list in
            outcome.update { $0 = result }
            defer { list = [] }
            return list
        }
        for waiter in list { waiter(result) }
    }
}

/// Carries a closure through pthread_create's untyped argument.
private final class ThreadBody: Sendable {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}
