import AsyncHTTPClient
package import Model
import NIOCore
import NIOHTTP1
import Repository
import Synchronization

/// Sends alerts to one URL. Blocking, with a limit; for a thread of its own.
package final class WebhookClient: Sendable {
    /// Seconds that one attempt may take.
    private static let patience: Int64 = 5

    private let url: String
    private let client: HTTPClient

    package init(_ url: String) {
        self.url = url
        client = HTTPClient(
            eventLoopGroupProvider: .singleton,
            configuration: HTTPClient.Configuration(
                redirectConfiguration: .disallow,
                timeout: HTTPClient.Configuration.Timeout(connect: .seconds(Self.patience))))
    }

    /// One that was never used holds connections to close too: the client insists on being asked.
    deinit { close() }

    /// Returns once the receiver has taken the message. Throws `sourceUnreachable` when a retry may
    /// help, `failed` when none will; the URL, which is secret, is in no message.
    package func send(_ alert: Alert) throws(TidemarkError) {
        let body = try JSONDocument.encode(alert)
        let status: UInt
        do {
            let request = try HTTPClient.Request(
                url: url, method: .POST,
                headers: [
                    "content-type": "application/json",
                    "user-agent": "tidemark/" + ProgramVersion.text,
                ], body: .byteBuffer(ByteBuffer(bytes: body)))
            status = try client.execute(
                request: request, delegate: StatusDelegate(),
                deadline: .now() + .seconds(Self.patience)
            ).futureResult.wait()
        } catch {
            throw TidemarkError(
                .sourceUnreachable, "the receiver does not answer (\(Self.words(error)))",
                remedy: "see that the webhook's address is right and reachable from here")
        }
        guard !(200..<300).contains(status) else { return }
        let mayHelp = status >= 500 || status == 408 || status == 429
        throw TidemarkError(
            mayHelp ? .sourceUnreachable : .failed, "the receiver answered with status \(status)",
            remedy: "see what the webhook's service says about it")
    }

    /// Only the kind of failure: its text may hold the URL.
    private static func words(_ error: any Error) -> String {
        (error as? HTTPClientError)?.shortDescription ?? "\(type(of: error))"
    }

    /// Ends the connections; nothing can be sent afterwards.
    package func close() {
        // Whatever it says, nothing more is needed of it.
        try? client.syncShutdown()
    }
}

/// Keeps the status and lets the body go by.
private final class StatusDelegate: HTTPClientResponseDelegate {
    typealias Response = UInt
    private let status = Atomic<UInt>(0)

    func didReceiveHead(
        task: HTTPClient.Task<UInt>, _ head: HTTPResponseHead
    ) -> EventLoopFuture<Void> {
        status.store(head.status.code, ordering: .relaxed)
        return task.eventLoop.makeSucceededVoidFuture()
    }

    func didFinishRequest(task: HTTPClient.Task<UInt>) throws -> UInt {
        status.load(ordering: .relaxed)
    }
}
