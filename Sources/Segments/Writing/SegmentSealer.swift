import Model
import Platform

/// The thread that gives complete segments their final names, in order.
///
/// A synchronous commit never waits for it: the bytes are durable before a segment comes here. Its
/// queue is bounded; whoever adds to a full one waits.
final class SegmentSealer: Sendable {
    private struct State {
        var queue: [ClosedSegment] = []
        var isWorking = false
        var isClosed = false
        /// After a failure segments are only let go of.
        var hasFailed = false
    }

    private let state = Monitor(State())
    private let thread: Monitor<DedicatedThread<Void>?> = Monitor(nil)
    private let acceleration: Int32
    private let failed: @Sendable (TidemarkError) -> Void

    /// Segments that may wait, each with its file open.
    private static let limit = 4

    /// - Parameter failed: Called once, from the thread, when a segment could not be sealed.
    init(acceleration: Int32, failed: @escaping @Sendable (TidemarkError) -> Void) {
        self.acceleration = acceleration
        self.failed = failed
        thread.update { thread in
            thread = DedicatedThread("tm-seal") { [self] () throws(TidemarkError) in work() }
        }
    }

    func add(_ segment: ClosedSegment) {
        let added: Void? = state.wait { state in
            guard state.queue.count < Self.limit || state.isClosed else { return nil }
            state.queue.append(segment)
            return ()
        }
        precondition(added != nil, "an unlimited wait ended")
    }

    /// Waits until everything added is sealed, or has failed.
    func drain() {
        _ = state.wait { $0.queue.isEmpty && !$0.isWorking ? () : nil }
    }

    /// Seals what was added, then ends the thread; idempotent.
    ///
    /// - Parameter abandoning: Lets go of waiting segments instead, as a crash would.
    func close(abandoning: Bool) {
        state.update {
            $0.isClosed = true
            if abandoning { $0.hasFailed = true }
        }
        guard
            let running = thread.update({ thread in
                defer { thread = nil }
                return thread
            })
        else { return }
        // The thread's function does not throw.
        try? running.join()
    }

    private func work() {
        let encoders = Encoders(acceleration: acceleration)
        while let segment = next() {
            if state.read({ $0.hasFailed }) {
                segment.close()
            } else {
                do {
                    try segment.seal(encoders)
                } catch {
                    state.update { $0.hasFailed = true }
                    failed(error)
                }
            }
            state.update { $0.isWorking = false }
        }
    }

    private func next() -> ClosedSegment? {
        let segment: ClosedSegment?? = state.wait { state in
            if !state.queue.isEmpty {
                state.isWorking = true
                return .some(state.queue.removeFirst())
            }
            return state.isClosed ? .some(nil) : nil
        }
        return segment ?? nil
    }
}
