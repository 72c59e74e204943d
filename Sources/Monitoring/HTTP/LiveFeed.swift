import HTTPTypes
import Hummingbird
package import Model
import NIOCore
import Repository
import Synchronization

/// The server-sent events of `/api/live` (WHATWG HTML, section 9.2): the status once a second, as
/// `LiveDocument`.
///
/// One document is made for all who listen. A listener that does not read misses documents and
/// costs nothing; the number of listeners is bounded.
package final class LiveFeed: Sendable {
    private struct State {
        var listeners: [Int: AsyncStream<ByteBuffer>.Continuation] = [:]
        var next = 0
        var isFinished = false
    }

    /// Pages that may listen at once.
    package static let limit = 200
    private let state = Mutex(State())

    package init() {}

    /// Whether anybody listens.
    package var isWanted: Bool { listeners > 0 }

    /// How many listen.
    package var listeners: Int { state.withLock { $0.listeners.count } }

    /// Sends a document to everybody who listens. Throws `failed` when it cannot be written as
    /// JSON; nobody gets anything then.
    package func publish(_ document: some Encodable) throws(TidemarkError) {
        let json = try JSONDocument.line(document)
        var event = ByteBuffer()
        event.writeString("data: ")
        event.writeBytes(json)
        event.writeString("\n\n")
        let listeners = state.withLock { Array($0.listeners.values) }
        for listener in listeners { listener.yield(event) }
    }

    /// Ends every answer that is still being sent.
    package func finish() {
        let listeners = state.withLock { state in
            state.isFinished = true
            defer { state.listeners = [:] }
            return Array(state.listeners.values)
        }
        for listener in listeners { listener.finish() }
    }

    /// An answer that goes on until the listener leaves or the feed ends.
    func response() -> Response {
        guard let events = listen() else {
            return Answers.problem(.serviceUnavailable, "too many pages listen already")
        }
        return Response(
            status: .ok, headers: [.contentType: "text/event-stream"],
            body: ResponseBody { writer in
                // Something at once, so that a page knows that it is connected.
                try await writer.write(ByteBuffer(string: "retry: 2000\n\n"))
                for await event in events { try await writer.write(event) }
                try await writer.finish(nil)
            })
    }

    private func listen() -> AsyncStream<ByteBuffer>? {
        state.withLock { state in
            guard !state.isFinished, state.listeners.count < Self.limit else { return nil }
            let number = state.next
            state.next += 1
            let (stream, continuation) = AsyncStream.makeStream(
                of: ByteBuffer.self, bufferingPolicy: .bufferingNewest(1))
            continuation.onTermination = { [weak self] _ in
                self?.state.withLock { _ = $0.listeners.removeValue(forKey: number) }
            }
            state.listeners[number] = continuation
            return stream
        }
    }
}
