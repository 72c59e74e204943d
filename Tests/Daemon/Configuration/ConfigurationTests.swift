import Model
import TestKit
import Testing

@testable import Daemon

@Suite struct ConfigurationTests {
    static let environment = Environment(["LEDGER_PASSWORD": "s3cret", "EMPTY": ""])

    static func read(
        _ yaml: String, _ environment: Environment = environment
    ) throws(TidemarkError) -> Configuration {
        try Configuration(yaml: yaml, file: "tidemark.yml", environment: environment)
    }

    /// A document with one sound source, and more lines.
    static func document(_ more: String = "", source: String = "") -> String {
        """
        repository: { url: "file:///var/lib/tidemark" }
        sources:
          ledger:
            url: postgresql://tidemark@db/postgres
        \(source)
        \(more)
        """
    }

    private func refusal(_ yaml: String, _ environment: Environment = environment) -> TidemarkError?
    {
        #expect(throws: TidemarkError.self) { try Self.read(yaml, environment) }
    }

    @Test func `the smallest document gets the defaults`() throws {
        let configuration = try Self.read(Self.document())
        #expect(configuration.repository.url == .file(path: "/var/lib/tidemark"))
        #expect(configuration.repository.compression == .lz4)
        #expect(configuration.flushInterval == .seconds(1))
        #expect(configuration.segmentAge == .seconds(600))
        #expect(configuration.retention == RetentionConfiguration())
        #expect(configuration.drillSchedule == nil && configuration.monitoring.token == nil)
        #expect(configuration.monitoring.listen == ListenAddress("127.0.0.1:9187"))
        #expect(!configuration.monitoring.isAsked)
        #expect(configuration.notices.isEmpty)
        let source = try #require(configuration.sources.first)
        #expect(source.name.name == "ledger" && source.kind == .postgres)
        #expect(source.rpo == .seconds(900) && source.slot == nil)
        #expect(source.backupSchedule.text == "0 2 * * *" && source.backupSchedule.zone == .utc)
    }

    @Test func `everything that this version knows is read`() throws {
        let configuration = try Self.read(
            """
            repository: { url: file:///srv/archive/, compression: gzip }
            sources:
              ledger:
                url: "postgresql://tidemark:${LEDGER_PASSWORD}@db:5432/postgres"
                rpo: 90s
                slot: my_slot_1
                backup: { schedule: "30 4 * * sun", timezone: America/New_York }
              second: { url: "postgres://db2/x", backup: { timezone: Asia/Tokyo } }
              third: { url: "postgres://db3/x", backup: { schedule: "@weekly" } }
            flush: { interval: 250ms }
            segment: { age: 2m }
            backup: { schedule: "0 3 * * *", timezone: Europe/Berlin }
            retention: { window: 30d, daily: 7, weekly: 8, monthly: 12, yearly: 2 }
            drill: { schedule: "0 3 1-7 * 6" }
            monitoring: { listen: "127.0.0.1:9187" }
            """)
        #expect(configuration.repository.url == .file(path: "/srv/archive"))
        #expect(configuration.repository.compression == .gzip)
        #expect(configuration.sources.map(\.name.name) == ["ledger", "second", "third"])
        let ledger = configuration.sources[0]
        #expect(ledger.url.secret.reveal() == "postgresql://tidemark:s3cret@db:5432/postgres")
        #expect(ledger.rpo == .seconds(90) && ledger.slot == "my_slot_1")
        let schedules = configuration.sources.map {
            "\($0.backupSchedule.text) \($0.backupSchedule.zone.name)"
        }
        #expect(
            schedules == [
                "30 4 * * sun America/New_York", "0 3 * * * Asia/Tokyo", "@weekly Europe/Berlin",
            ])
        #expect(configuration.flushInterval == .milliseconds(250))
        #expect(configuration.segmentAge == .seconds(120))
        #expect(
            configuration.retention
                == RetentionConfiguration(
                    window: .seconds(30 * 86_400), daily: 7, weekly: 8, monthly: 12, yearly: 2))
        #expect(configuration.drillSchedule?.text == "0 3 1-7 * 6")
        #expect(configuration.monitoring.listen == ListenAddress("127.0.0.1:9187"))
    }

    @Test func `what has no effect yet is told with its line`() throws {
        let configuration = try Self.read(
            Self.document("retention: { window: 30d }\ndrill:\n  schedule: \"0 3 * * *\""))
        #expect(
            configuration.notices == [
                "tidemark.yml:6: retention: this version of tidemark expires nothing: everything is kept",
                "tidemark.yml:7: drill: this version of tidemark runs no drills",
            ])
    }

    @Test(arguments: [
        (
            "  compression: zstd",
            "tidemark.yml:3: repository.compression: zstd is not in this version"
        ),
        (
            "  encryption: { recipients: [age1xyz] }",
            "tidemark.yml:3: repository.encryption: encryption is not"
        ),
        (
            "  copies: [ { url: file:///b } ]",
            "tidemark.yml:3: repository.copies: copies to a second place are"
        ),
        ("  # s3", "tidemark.yml:2: repository.url: S3 is not in this version of tidemark"),
    ])
    func `what would make another archive than asked for is refused`(line: String, start: String)
        throws
    {
        let url = line.contains("s3") ? "s3://bucket/x" : "file:///a"
        let yaml = """
            repository:
              url: \(url)
            \(line)
            sources: { ledger: { url: postgres://db/x } }
            """
        let error = try #require(refusal(yaml))
        #expect(error.message.hasPrefix(start) && error.code == .configuration)
        #expect(!error.remedy.isEmpty)
    }

    @Test(arguments: [
        ("flsh: { interval: 1s }", "tidemark.yml:6: flsh: unknown key", "did you mean flush?"),
        (
            "flush: { intervall: 1s }", "tidemark.yml:6: flush.intervall: unknown key",
            "did you mean interval?"
        ),
        (
            "zzz: 1", "tidemark.yml:6: zzz: unknown key",
            "possible here: alerts, backup, drill, flush, monitoring, repository, retention, segment, sources"
        ),
        (
            "flush: { interval: 50ms }",
            "tidemark.yml:6: flush.interval: must be a duration from 100ms to 1m, such as 1s, not \"50ms\"",
            ""
        ),
        (
            "flush: { interval: 61s }",
            "tidemark.yml:6: flush.interval: must be a duration from 100ms to 1m, such as 1s, not \"61s\"",
            ""
        ),
        (
            "flush: { interval: 5 }",
            "tidemark.yml:6: flush.interval: must be a duration from 100ms to 1m, such as 1s, not \"5\"",
            ""
        ),
        (
            "flush: { interval: [1s] }",
            "tidemark.yml:6: flush.interval: must be a duration from 100ms to 1m, such as 1s, not a list",
            ""
        ),
        (
            "flush:\n  interval:\n", "tidemark.yml:7: flush.interval: has no value",
            "give it a duration from 100ms to 1m, such as 1s, or remove the key"
        ),
        ("flush: 1s", "tidemark.yml:6: flush: must be a section, not a single value", ""),
        ("flush: [ { interval: 1s } ]", "tidemark.yml:6: flush: must be a section, not a list", ""),
        (
            "retention: { weekly: 0 }",
            "tidemark.yml:6: retention.weekly: must be a whole number from 1 to 10000, not \"0\"",
            ""
        ),
        (
            "retention: { weekly: many }",
            "tidemark.yml:6: retention.weekly: must be a whole number from 1 to 10000, not \"many\"",
            ""
        ),
        (
            "backup: { schedule: \"0 25 * * *\" }",
            "tidemark.yml:6: backup.schedule: must be a schedule of five fields such as \"0 2 * * *\", not \"0 25 * * *\" (in the hour: 25 is not from 0 to 23)",
            ""
        ),
        (
            "backup: { schedule: \"0 0 30 2 *\" }",
            "tidemark.yml:6: backup.schedule: must be a schedule of five fields such as \"0 2 * * *\", not \"0 0 30 2 *\" (these days never come)",
            ""
        ),
        (
            "backup: { timezone: Berlin }",
            "tidemark.yml:6: backup.timezone: must be UTC or a time zone of this machine such as Europe/Berlin (see /usr/share/zoneinfo), not \"Berlin\"",
            ""
        ),
        (
            "monitoring: { listen: 9187 }",
            "tidemark.yml:6: monitoring.listen: must be an address such as 127.0.0.1:9187, or none, not \"9187\"",
            ""
        ),
        (
            "alerts: { webhook: x }", "tidemark.yml:6: alerts: must be a list, not a section",
            "write it in brackets: [ … ]"
        ),
        (
            "alerts: [ { webhook: x } ]",
            "tidemark.yml:6: alerts[0].webhook: must be an http:// or https:// URL", ""
        ),
        (
            "alerts: [ { webhook: \"http://a\", on: [fire] } ]",
            "tidemark.yml:6: alerts[0].on[0]: must be breached, gap, stalled, window-short or drill-failed, not \"fire\"",
            ""
        ),
        (
            "<<: *x", "tidemark.yml:6: not valid YAML: found undefined alias",
            "look at line 6, column 5, and the line above it"
        ),
        (
            "flush: { interval: 1s",
            "tidemark.yml:7: not valid YAML: did not find expected ',' or '}'",
            "look at line 7, column 1, and the line above it"
        ),
        (
            "flush: {}\nflush: {}", "tidemark.yml:6: flush: the key stands twice in its section",
            "remove one of the two, or join them"
        ),
        (
            "flush: { interval: 1s, \"interval\": 2s }",
            "tidemark.yml:6: interval: the key stands twice in its section",
            "remove one of the two, or join them"
        ),
        (
            "[a]: 1", "tidemark.yml:6: a key must be a single word",
            "put quotes around a value that starts with [ or {"
        ),
        (
            "---\nflush: {}", "tidemark.yml:6: not valid YAML: but found another document",
            "look at line 6, column 1, and the line above it"
        ),
    ])
    func `what is wrong is said with file, line and key`(
        lines: String, message: String, remedy: String
    ) throws {
        let error = try #require(refusal(Self.document(lines)))
        #expect(error.message == message)
        #expect(error.remedy == remedy)
        #expect(error.code == .configuration && error.code.exitStatus == 2)
    }

    @Test(arguments: [
        (
            "    rpo: soon",
            "tidemark.yml:5: sources.ledger.rpo: must be a duration from 1s to 365d, such as 15m, not \"soon\""
        ),
        (
            "    rpo: 0s",
            "tidemark.yml:5: sources.ledger.rpo: must be a duration from 1s to 365d, such as 15m, not \"0s\""
        ),
        (
            "    slot: My-Slot",
            "tidemark.yml:5: sources.ledger.slot: must be 1 to 63 of the signs a-z, 0-9 and _, not \"My-Slot\""
        ),
        (
            "    backup: { schedul: x }",
            "tidemark.yml:5: sources.ledger.backup.schedul: unknown key"
        ),
        (
            "  Ledger: { url: \"postgres://x\" }",
            "tidemark.yml:5: sources.Ledger: not a valid source name"
        ),
        ("  other: {}", "tidemark.yml:5: sources.other: url is missing"),
        ("  other:", "tidemark.yml:5: sources.other: url is missing"),
        (
            "  other: postgres://db/x",
            "tidemark.yml:5: sources.other: must be a section, not a single value"
        ),
        (
            "  other: { url: \"mysql://db/x\" }",
            "tidemark.yml:5: sources.other.url: must be a postgresql://, mongodb:// or redis:// URL"
        ),
    ])
    func `what is wrong with a source is said`(line: String, message: String) throws {
        let error = try #require(refusal(Self.document(source: line)))
        #expect(error.message == message)
    }

    @Test func `only Postgres has a slot`() throws {
        let settings = try Settings(
            try YAMLDocument.parse(
                "{ repository: { url: /a }, sources: { c: { url: \"redis://c\", slot: x } } }",
                file: "f"), file: "f", environment: Environment([:]))
        #expect(settings.setting(OptionTable.slot, "c")?.text == "x")
        let error = try #require(refusal(Self.document("  c: { url: \"redis://c\", slot: x }")))
        #expect(error.message.contains("slot"))
    }

    @Test(arguments: ["", "# nothing\n", "{}", "sources: {}", "repository:\n"])
    func `a document without a repository is refused`(yaml: String) throws {
        let error = try #require(refusal(yaml))
        #expect(error.message.contains("repository: url is missing"))
        #expect(error.message.hasPrefix("tidemark.yml"))
    }

    @Test(arguments: ["", "sources:", "sources: {}"])
    func `a document without sources is refused`(line: String) throws {
        let error = try #require(refusal("repository: { url: /a }\n\(line)"))
        #expect(error.message == "tidemark.yml: sources: no source is configured")
    }

    @Test func `a section in which everything is a comment is empty`() throws {
        let configuration = try Self.read(
            Self.document("flush:\n  # interval: 2s\nalerts:"), Environment([:]))
        #expect(configuration.flushInterval == .seconds(1))
    }

    @Test func `deep nesting is refused before it is walked`() throws {
        let error = try #require(
            refusal(
                "a: " + String(repeating: "[", count: 40)
                    + String(repeating: "]", count: 40)))
        #expect(error.message.contains("nested more than 16 levels deep"))
    }

    @Test func `sources are found by name, and misspelt ones suggested`() throws {
        let configuration = try Self.read(Self.document("  other: { url: postgres://b/x }"))
        let names = try ["other", "ledger", "other"].map { try #require(SourceID($0)) }
        #expect(try configuration.select(names).map(\.name.name) == ["other", "ledger"])
        #expect(try configuration.select([]).count == 2)
        let error = #expect(throws: TidemarkError.self) {
            try configuration.select([SourceID("legder")!])
        }
        #expect(error?.code == .usage && error?.remedy == "did you mean ledger?")
    }
}
