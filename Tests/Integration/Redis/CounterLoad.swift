import Model
import Platform
import TestKit

/// Small writes on a thread of its own until it is stopped: counters, lists, transactions.
final class CounterLoad: Sendable {
    private let isStopped = Monitor(false)
    private let thread: DedicatedThread<Bool>

    /// - Parameter pause: seconds after each round of eight hundred commands.
    init(_ server: RedisServer, valueBytes: Int = 20_000, pause: Double = 0) {
        let isStopped = isStopped
        let value = String(repeating: "v", count: valueBytes)
        thread = DedicatedThread("load") { () throws(TidemarkError) in
            var round = 0
            while !isStopped.read({ $0 }) {
                round += 1
                var text = ""
                for number in 0..<200 {
                    text +=
                        "SELECT \(number % 3)\nINCR n\(number % 7)\nRPUSH l \(round)-\(number)\n"
                    text += "MULTI\nSET m\(number) \(round)\(value)\nINCR t\nEXEC\n"
                }
                try server.lines(text)
                if pause > 0 { _ = isStopped.wait(seconds: pause) { $0 ? true : nil } }
            }
            return true
        }
    }

    func stop() throws(TidemarkError) {
        isStopped.update { $0 = true }
        _ = try thread.join()
    }
}
