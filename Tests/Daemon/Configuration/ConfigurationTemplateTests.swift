import Model
import Testing

@testable import Daemon

@Suite struct ConfigurationTemplateTests {
    private let environment = Environment([
        "POSTGRES_PASSWORD": "a", "POSTGRES_5433_PASSWORD": "b", "MONGODB_PASSWORD": "c",
        "REDIS_PASSWORD": "d", "TIDEMARK_TOKEN": "a-long-token",
    ])

    private let servers = [
        LocalServer(kind: .postgres, place: "/var/run/postgresql", port: 5432),
        LocalServer(kind: .postgres, place: "localhost:5433", port: 5433),
        LocalServer(kind: .redis, place: "localhost:6379", port: 6379),
        LocalServer(kind: .mongodb, place: "localhost:27017", port: 27017),
    ]

    private func read(_ text: String) throws -> Configuration {
        try Configuration(yaml: text, file: "t", environment: environment)
    }

    @Test func `the file written without any server is a configuration`() throws {
        let text = ConfigurationTemplate.text(repository: "file:///srv/a", servers: [])
        let configuration = try read(text)
        #expect(configuration.repository.url == .file(path: "/srv/a"))
        #expect(configuration.sources.map(\.name.name) == ["postgres"])
        #expect(configuration.notices.isEmpty)
    }

    @Test func `every server found has its entry`() throws {
        let text = ConfigurationTemplate.text(repository: "/srv/a", servers: servers)
        let configuration = try read(text)
        #expect(
            configuration.sources.map(\.url.redacted) == [
                "postgresql://tidemark:***@/postgres?host=/var/run/postgresql&port=5432",
                "postgresql://tidemark:***@localhost:5433/postgres",
                "redis://:***@localhost:6379", "mongodb://tidemark:***@localhost:27017/",
            ])
    }

    @Test func `with all keys brought to life it is still a configuration`() throws {
        let text = ConfigurationTemplate.text(repository: "/srv/a", servers: [servers[0]])
        // `# key:` at the start of a line, or after blanks, is a key; other comments are help.
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            let body = line.drop { $0 == " " }
            guard body.hasPrefix("# "), !line.hasPrefix("#   #") else { return String(line) }
            let content = body.dropFirst(2).drop { $0 == " " }
            let key = content.prefix { $0.isLetter }
            guard !key.isEmpty, content.dropFirst(key.count).hasPrefix(":"),
                content.first?.isLowercase == true
            else { return String(line) }
            return String(line.prefix(line.count - body.count) + body.dropFirst(2))
        }
        let configuration = try read(lines.joined(separator: "\n"))
        #expect(configuration.sources[0].slot == "tidemark")
        #expect(configuration.sources[0].backupSchedule.zone.name == "Europe/Berlin")
        #expect(configuration.retention.window != nil && configuration.retention.yearly != nil)
        #expect(configuration.notices.count == 2)
    }

    @Test func `lines are short enough to be read`() {
        let text = ConfigurationTemplate.text(repository: "/srv/a", servers: servers)
        #expect(text.split(separator: "\n").allSatisfy { $0.count <= 100 })
    }
}
