import Model
import Platform
import ServiceLifecycle

/// Ends the program when at first contact every source refuses for a reason no retry mends: a wrong
/// password is to be seen at once. Once any source streams, refusals are only retried.
final class FirstContact: Service {
    private let boards: [SourceBoard]
    private let stop: StopSignal
    private let verdict = Monitor<TidemarkError?>(nil)

    init(_ boards: [SourceBoard], stop: StopSignal) {
        self.boards = boards
        self.stop = stop
    }

    /// Why the program ended; nil when it was told to.
    var failure: TidemarkError? { verdict.read { $0 } }

    func run() async throws {
        let stop = stop
        try await withGracefulShutdownHandler {
            try await DedicatedThread<Void>("tm-first") { self.watch() }.value()
            // A service that returns ends the others; without a verdict it lives as they do.
            if failure == nil { try await gracefulShutdown() }
        } onGracefulShutdown: {
            stop.raise()
        }
    }

    private func watch() {
        while !stop.isRaised {
            let states = boards.map { board in
                board.monitor.read { ($0.wasConnected, $0.failure) }
            }
            if states.contains(where: { $0.0 }) { return }
            let refusals = states.compactMap { $0.1 }.filter { !$0.code.isRetryable }
            if refusals.count == boards.count, let first = refusals.first {
                verdict.update { $0 = first }
                stop.raise()
            }
            stop.wait(seconds: 0.2)
        }
    }
}
