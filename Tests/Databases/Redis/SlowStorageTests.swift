import Model
import Platform
import Redis
import TestKit
import Testing

struct SlowStorageTests {
    @Test func `the server's end waits for what is not durable yet, and no longer`() async throws {
        try await offPool {
            let server = try RedisServer.start()
            let stream = try room(server.url).stream()
            defer { stream.close() }
            let start = try stream.open(ResumePoint(descriptor: nil, end: nil)).start.ordinal
            let sink = RecordingSink()
            try server.command("SET", "last", "1")
            let began = clock.monotonic()
            let ending = DedicatedThread("end") { () throws(TidemarkError) in
                try server.terminate(seconds: 30)
            }
            var asked: MonotonicTime?
            var failure: TidemarkError?
            while failure == nil {
                let now = clock.monotonic()
                do throws(TidemarkError) {
                    let turn = try stream.pull(until: now.advanced(bySeconds: 0.05), into: sink)
                    if turn == .replyRequested, asked == nil { asked = now }
                    // The storage takes two seconds.
                    let isDurable = asked.map { now.seconds(since: $0) >= 2 } ?? false
                    try stream.acknowledge(
                        received: sink.end, durable: isDurable ? sink.end : start)
                } catch {
                    failure = error
                }
            }
            let status = try ending.join()
            let seconds = clock.monotonic().seconds(since: began)
            #expect(status == .exited(0))
            #expect(seconds >= 2 && seconds < 9, "\(seconds) s")
            #expect(failure?.message.contains("closed the replication stream") == true)
            #expect(sink.text.contains("last"))
            #expect(!server.log.contains("0 of 1 replicas are in sync"))
        }
    }
}
