import FoundationEssentials
import Model
import Platform
import TestKit
import Testing

@testable import Monitoring

@Suite(.timeLimit(.minutes(3)))
struct WebhookTests {
    private func alert() throws -> Alert {
        var tracker = AlertTracker()
        return try #require(
            tracker.observe(
                SampleStatus.source(exposure: 1000, reason: "it is gone"),
                now: MonotonicTime(nanoseconds: 1), wall: SampleStatus.time(50)
            ).first)
    }

    private struct Body: Decodable {
        var event: String
        var step: String
        var source: String
        var since: String
        var exposure_seconds: Double
        var rpo_seconds: Double
        var reason: String
        var text: String
    }

    @Test func `the receiver gets JSON with everything a person needs`() async throws {
        try await offPool {
            let receiver = try HTTPReceiver()
            let client = WebhookClient("http://127.0.0.1:\(receiver.port)/hook/secret?x=1")
            defer { client.close() }
            try client.send(try alert())
            let request = try #require(receiver.received.first)
            #expect(request.head.hasPrefix("POST /hook/secret?x=1 HTTP/1.1"), "\(request.head)")
            #expect(request.head.lowercased().contains("content-type: application/json"))
            let body = try JSONDecoder().decode(Body.self, from: Data(request.body.utf8))
            #expect(body.event == "breached" && body.step == "raised" && body.source == "ledger")
            #expect(body.exposure_seconds == 1000 && body.rpo_seconds == 900)
            #expect(body.since == "1970-01-01T00:00:50.000Z")
            #expect(body.reason == "it is gone")
            #expect(body.text.contains("16 min 40 s could be lost"), "\(body.text)")
        }
    }

    @Test func `what went wrong says whether a retry helps, and holds no secret`() async throws {
        try await offPool {
            let receiver = try HTTPReceiver()
            let client = WebhookClient("http://127.0.0.1:\(receiver.port)/hook/secret")
            defer { client.close() }
            receiver.answer([500, 429, 404, 302])
            for mayHelp in [true, true, false, false] {
                let error = try #require(throws: TidemarkError.self) {
                    try client.send(try alert())
                }
                #expect(error.code.isRetryable == mayHelp, "\(error)")
                #expect(!"\(error)".contains("secret"), "\(error)")
            }
            let dead = WebhookClient("http://127.0.0.1:\(try freePort())/hook/secret")
            defer { dead.close() }
            let refused = try #require(throws: TidemarkError.self) {
                try dead.send(try alert())
            }
            #expect(refused.code.isRetryable)
            #expect(!"\(refused)".contains("secret"), "\(refused)")
            #expect(
                try #require(throws: TidemarkError.self) {
                    let odd = WebhookClient("http://")
                    defer { odd.close() }
                    try odd.send(try alert())
                }.code.isRetryable)
        }
    }

    @Test func `a receiver that says nothing holds a message for some seconds only`() async throws {
        try await offPool {
            let receiver = try HTTPReceiver()
            receiver.fallSilent(true)
            let client = WebhookClient("http://127.0.0.1:\(receiver.port)/")
            defer { client.close() }
            let began = SocketWait.now()
            let error = try #require(throws: TidemarkError.self) { try client.send(try alert()) }
            #expect(error.code.isRetryable)
            #expect(SocketWait.now() - began < 15)
        }
    }
}
