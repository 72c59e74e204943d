import Model
import Platform
import Redis
import TestKit
import Testing

struct TLSTests {
    @Test func `an encrypted stream is followed, and only with a trusted certificate`() async throws
    {
        try await offPool {
            let scratch = try ScratchDirectory()
            let files = try TLSFiles(in: scratch.path)
            let port = try freePort()
            let server = try RedisServer.start(
                files.settings(port: port) + [
                    "tls-auth-clients no", "client-output-buffer-limit replica 0 0 0",
                ])
            for host in ["127.0.0.1", "localhost"] {
                let url = "rediss://\(host):\(port)?cacert=\(scratch.path)/ca.crt"
                let room = try room(url)
                let stream = room.stream()
                _ = try stream.open(ResumePoint(descriptor: nil, end: nil))
                let sink = RecordingSink()
                let value = String(repeating: host, count: 30_000)
                try server.pipe((0..<20).flatMap { resp(["SET", "k\($0)", value]) })
                try stream.follow(sink) { try sink.end >= server.offset() }
                #expect(sink.text.contains(value))
                // The server's own PING may have come in between.
                let bound = try room.inspector().probe().bound
                try stream.follow(sink) { sink.end >= bound }
                let waiter = DedicatedLines(server, "SET k 1\nWAIT 1 5000\n")
                try stream.follow(sink) { waiter.isDone }
                #expect(try waiter.join()[1] == "1")
                stream.close()
            }
            let file = CollectedBackup()
            let backup = try room("rediss://localhost:\(port)?cacert=\(scratch.path)/ca.crt")
                .baseBackup()
            _ = try backup.begin(label: "t", fast: true)
            while try backup.pull(into: file) == nil {}
            #expect(file.bytes.starts(with: Array("REDIS".utf8)))
            let stranger = "rediss://localhost:\(port)?cacert=\(scratch.path)/other.crt"
            for url in [stranger, "rediss://127.0.0.1:\(server.port)"] {
                let failure = #expect(throws: TidemarkError.self) {
                    try room(url).inspector().probe()
                }
                #expect([.sourceRefused, .sourceUnreachable].contains(failure?.code), "\(url)")
            }
        }
    }
}
