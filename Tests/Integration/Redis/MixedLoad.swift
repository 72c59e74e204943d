import Model
import Platform
import TestKit

/// The mixed workload on a thread of its own until it is stopped.
final class MixedLoad: Sendable {
    private let isStopped = Monitor(false)
    private let thread: DedicatedThread<Bool>

    init(_ server: RedisServer) {
        let isStopped = isStopped
        thread = DedicatedThread("load") { () throws(TidemarkError) in
            var random = SystemRandomNumberGenerator()
            while !isStopped.read({ $0 }) {
                try server.pipeAllowingErrors(Workload.round(1000, using: &random))
            }
            return true
        }
    }

    func stop() throws(TidemarkError) {
        isStopped.update { $0 = true }
        _ = try thread.join()
    }
}
