import Model
import Platform
import TestKit

/// The workload, running on a thread of its own.
final class BackgroundLoad: Sendable {
    private let progress = Monitor((round: 0, isDone: false))
    private let thread: DedicatedThread<Bool>

    init(_ server: RedisServer, rounds: Int) {
        let progress = progress
        thread = DedicatedThread("load") { () throws(TidemarkError) in
            defer { progress.update { $0.isDone = true } }
            var random = SystemRandomNumberGenerator()
            for _ in 0..<rounds {
                try server.pipeAllowingErrors(Workload.round(3000, using: &random))
                progress.update { $0.round += 1 }
            }
            return true
        }
    }

    var round: Int { progress.read { $0.round } }
    var isDone: Bool { progress.read { $0.isDone } }
    func join() throws(TidemarkError) { _ = try thread.join() }
}
