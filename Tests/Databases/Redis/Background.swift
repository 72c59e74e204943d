import Model
import Platform
import TestKit

/// Commands run by a client on another thread, while the test's own thread follows the stream.
final class DedicatedLines: Sendable {
    private let thread: DedicatedThread<[String]>
    private let done = Monitor(false)

    init(_ server: RedisServer, _ text: String) {
        let done = done
        thread = DedicatedThread("client") { () throws(TidemarkError) in
            defer { done.update { $0 = true } }
            return try server.lines(text)
        }
    }

    var isDone: Bool { done.read { $0 } }
    func join() throws(TidemarkError) -> [String] { try thread.join() }
}

/// SHUTDOWN SAVE on another thread.
final class DedicatedStop: Sendable {
    private let thread: DedicatedThread<Bool>

    init(_ server: RedisServer) {
        thread = DedicatedThread("stop") { () throws(TidemarkError) in
            try server.stop(saving: true)
            return true
        }
    }

    func join() throws(TidemarkError) { _ = try thread.join() }
}

/// Wakes a stream from another thread.
final class Alarm: @unchecked Sendable {
    // @unchecked: only `wake` is called, which any thread may call.
    private let stream: any ChangeSource

    init(_ stream: any ChangeSource) { self.stream = stream }
    func ring() { stream.wake() }
}
