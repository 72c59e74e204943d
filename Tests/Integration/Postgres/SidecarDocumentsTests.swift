import FoundationEssentials
import Model
import Platform
import TestKit
import Testing

/// The documents of a running sidecar: the same by every way, with the keys of the contract; and
/// its log, which has nothing to say while nothing changes.
@Suite(.timeLimit(.minutes(5)))
struct SidecarDocumentsTests {
    private static let password = "hunter2-is-no-secret"

    /// The keys of an object, whatever they hold.
    private struct Keys: Decodable {
        private struct Key: CodingKey {
            var stringValue: String
            var intValue: Int? { nil }
            init(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }
        var names: [String]

        init(from decoder: any Decoder) throws {
            names = try decoder.container(keyedBy: Key.self).allKeys.map(\.stringValue).sorted()
        }
    }

    private struct Shape: Decodable {
        struct Source: Decodable {
            var windows: [Keys]
            var backup: Keys
            var room: Keys
            enum CodingKeys: String, CodingKey {
                case windows = "recovery_windows"
                case backup = "last_backup"
                case room = "source_window"
            }
        }
        var repository: Keys
        var sources: [Source]
    }

    private struct Sources: Decodable { var sources: [Keys] }

    private struct Entry: Decodable {
        var level: String
        var message: String
        var source: String?
        var state: String?
        var objective: String?
    }

    /// What DESIGN's contract names, and `reason`.
    private static let sourceKeys = [
        "archived_position", "exposure_seconds", "gaps", "kind", "last_backup", "name",
        "objective", "reason", "received_position", "recovery_windows", "restorable_to",
        "rpo_seconds", "source_window", "state", "timeline",
    ]

    private static func decode<T: Decodable>(_ type: T.Type, _ text: String) throws -> T {
        try JSONDecoder().decode(type, from: Data(text.utf8))
    }

    private static func expectContract(_ text: String) throws {
        #expect(try decode(Sources.self, text).sources.map(\.names) == [sourceKeys])
        let shape = try decode(Shape.self, text)
        #expect(shape.repository.names == ["state", "url"])
        let source = try #require(shape.sources.first)
        #expect(source.windows.first?.names == ["from", "to"])
        #expect(source.backup.names == ["bytes", "finished", "id", "stored_bytes"])
        #expect(source.room.names == ["headroom_bytes", "headroom_seconds", "kind"])
        for time in text.matches(of: /"(\d{4}-\d\d-\d\dT[^"]*)"/) {
            #expect(
                time.output.1.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/) != nil,
                "\(time.output.1) is not UTC with milliseconds")
        }
    }

    @Test func `status, its JSON and the HTTP side show one document, and no secret`() async throws
    {
        try await offPool {
            let server = try PostgresServer.start()
            let port = try freePort()
            let side = try SidecarHarness(
                server, url: server.url(password: Self.password),
                lines: ["monitoring: { listen: \"127.0.0.1:\(port)\" }"])
            let sidecar = try side.startWithBackup()
            // The room that is left is asked for every tenth second, and the slot is young.
            try eventually("it is well, and everything of it is known", seconds: 60) {
                guard let answer = try? LoopbackHTTP.get(port, "/health/database") else {
                    return false
                }
                return answer.status == 200 && !answer.body.contains("\"source_window\" : null")
            }
            let shown = try LoopbackHTTP.get(port, "/api/status").body
            #expect(try Self.decode(Keys.self, shown).names == ["repository", "sources", "time"])
            try Self.expectContract(shown)
            let health = try LoopbackHTTP.get(port, "/health/database").body
            #expect(
                try Self.decode(Keys.self, health).names == [
                    "problems", "repository", "sources", "status", "time",
                ])
            try Self.expectContract(health)
            let printed = try side.expect(0, ["status", "--json"])
            #expect(try Self.decode(Keys.self, printed).names == ["repository", "sources", "time"])
            try Self.expectContract(printed)
            // The same source, as it is known by either way.
            let (live, read) = (
                try StatusReport.first(of: shown), try StatusReport.first(of: printed)
            )
            #expect(live.state == "streaming" && read.state == "streaming")
            #expect(live.lastBackup?.id == read.lastBackup?.id)
            #expect(live.recoveryWindows.first?.from == read.recoveryWindows.first?.from)
            #expect(live.objective == "met" && read.objective == "met")
            #expect(try side.expect(0, ["status", "--check"]).hasPrefix("SOURCE"))
            let metrics = try LoopbackHTTP.get(port, "/metrics").body
            let title = try server.run("/bin/cat", ["/proc/\(sidecar.process.pid)/cmdline"]).output
            for text in [shown, health, printed, metrics, title, sidecar.log] {
                #expect(!text.contains(Self.password))
            }
            #expect(try sidecar.terminate(seconds: 10).isSuccess)
        }
    }

    private static func entries(_ log: String) throws -> [Entry] {
        try log.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map {
            try decode(Entry.self, String($0))
        }
    }

    @Test func `the log tells changes of state, and nothing while there are none`() async throws {
        try await offPool {
            let server = try PostgresServer.start()
            let watched = try MonitoredSidecar(server)
            let sidecar = try watched.side.startWithBackup()
            try watched.waitHealth(200)
            try sidecar.waitForLog("objective is met, was breached")
            let before = try Self.entries(sidecar.log)
            // A dozen proofs, watermarks and looks later, with something to archive for each.
            var proofs: Set<String> = []
            try eventually("it is proved anew again and again", seconds: 120) {
                let status = try watched.status()
                if proofs.insert(status.restorableTo ?? "").inserted {
                    try server.psql(
                        "create table if not exists t (i int); insert into t values (1)")
                }
                return proofs.count > 12
            }
            // On a machine that is busy with other things a state may well change; what is said at
            // each look would be there a dozen times.
            let said = try Self.entries(sidecar.log).dropFirst(before.count)
            for (message, times) in Dictionary(grouping: said, by: \.message) {
                #expect(times.count < 4, "\(message) is said \(times.count) times")
            }
            try server.kill9()
            try eventually("the end of streaming is told") {
                try Self.entries(sidecar.log).dropFirst(before.count + said.count).contains {
                    $0.message.hasPrefix("state is ") && $0.message.hasSuffix("was streaming")
                }
            }
            let news = try Self.entries(sidecar.log).dropFirst(before.count + said.count)
            let change = try #require(news.first { $0.message.hasPrefix("state is ") })
            #expect(change.level == "info" && change.source == "ledger")
            #expect(change.state == "connecting" || change.state == "stalled")
            #expect(change.objective == "met")
            #expect(try sidecar.terminate(seconds: 10).isSuccess)
        }
    }
}
