import FoundationEssentials
import Model
import Platform
import TestKit
import Testing

/// What took much away stands on the time axis, also of what was archived by an earlier process.
struct EventAxisTests {
    /// `/api/timeline` and `/api/moment`, as far as the test looks.
    private struct Document: Decodable {
        struct Source: Decodable {
            struct Event: Decodable {
                var id: String
                var action: String
                var place: String
                var time: String
                var command: String?
            }
            var events: [Event]
            var search: String?

            enum CodingKeys: String, CodingKey {
                case events
                case search = "event_search"
            }
        }
        var sources: [Source]
    }

    private static func source(_ port: Int, _ path: String) throws -> Document.Source {
        let body = try LoopbackHTTP.get(port, path).body
        let document = try JSONDecoder().decode(Document.self, from: Data(body.utf8))
        return try #require(document.sources.first)
    }

    /// Waits until the axis shows so many events and all has been searched.
    private static func wait(_ port: Int, _ count: Int) throws -> [Document.Source.Event] {
        try eventually("\(count) events are shown", seconds: 60) {
            guard let source = try? source(port, "/api/timeline"), source.search == "complete"
            else { return nil }
            return source.events.count == count ? source.events : nil
        }
    }

    @Test(.timeLimit(.minutes(3)))
    func `what was flushed is found in open and sealed segments, once for all`() async throws {
        try await offPool {
            let server = try RedisServer.start()
            let port = try freePort()
            let harness = try ArchiveHarness(server)
            try harness.watch(port)
            let first = try harness.startWithBackup()
            try server.lines("SELECT 2\nSET a 1\n")
            try server.command("FLUSHALL")
            try harness.waitArchived()
            let shown = try #require(try Self.wait(port, 1).first)
            #expect(shown.action == "FLUSHALL")
            let listed = try harness.expect(0, ["find"])
            #expect(listed.contains(shown.id), "\(listed)")

            // An open segment is sealed after ten seconds; the next process looks at the note first.
            try eventually("it is noted", seconds: 60) {
                try harness.files("sessions/events.json").count == 1
            }
            #expect(try first.terminate().isSuccess)
            let second = try harness.start()
            #expect(try Self.wait(port, 1).first?.id == shown.id)
            try server.lines("SELECT 3\nSET b 1\nFLUSHDB\n")
            try harness.waitArchived()
            let both = try Self.wait(port, 2)
            #expect(both.last?.action == "FLUSHDB" && both.last?.place == "database 3")

            // A moment beside it says how to undo it, by a command that works as it stands.
            let near = try Self.source(port, "/api/moment?at=\(shown.time)").events
            let command = try #require(near.first { $0.id == shown.id }?.command)
            #expect(command.hasPrefix("tidemark restore --to before:\(shown.id) --into ./restored"))
            let words = command.split(separator: " ").dropFirst().map(String.init)
            let restored = try TidemarkProcess.run(
                words + ["--start"], environment: harness.environment, directory: harness.folder,
                user: harness.user)
            #expect(restored.status.isSuccess, "\(restored.errors)")
            let url = restored.output.split(separator: "\n").last.map(String.init) ?? ""
            #expect(try harness.ask(url + "/2", "GET", "a") == "1")
            try harness.stop(url)
            #expect(try second.terminate().isSuccess)
        }
    }
}
