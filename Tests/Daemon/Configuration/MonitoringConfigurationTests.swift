import Model
import Monitoring
import Testing

@testable import Daemon

struct MonitoringConfigurationTests {
    private func read(_ lines: String...) throws -> Configuration {
        try Configuration(
            yaml: ([
                "repository: { url: file:///archive }",
                "sources: { ledger: { url: \"postgresql://tidemark@db/postgres\" } }",
            ] + lines).joined(separator: "\n"), file: "tidemark.yml", environment: Environment([:]))
    }

    @Test func `webhooks have their events, all of them when none is named`() throws {
        let configuration = try read(
            "alerts:", "  - { webhook: \"https://hooks/secret\", on: [breached, gap] }",
            "  - { webhook: \"http://localhost:1/x\" }")
        let alerts = configuration.monitoring.alerts
        #expect(alerts.map(\.events) == [[.breached, .gap], Set(AlertEvent.allCases)])
        #expect(alerts.first?.webhook.reveal() == "https://hooks/secret")
        #expect(!"\(configuration)".contains("hooks/secret"))
    }

    @Test func `a webhook that is none, or missing, is an error that does not repeat it`() throws {
        for (line, part) in [
            ("alerts: [{ webhook: \"ftp://secret\" }]", "alerts[0].webhook: must be an http:// or"),
            ("alerts: [{ on: [gap] }]", "alerts[0]: webhook is missing"),
            ("alerts: [{ webhook: \"http://x\", on: [gone] }]", "alerts[0].on[0]: must be"),
        ] {
            let error = try #require(throws: TidemarkError.self) { try read(line) }
            #expect(error.message.contains(part), "\(error.message)")
            #expect(!error.message.contains("secret"))
        }
    }

    @Test func `certificate and key come together`() throws {
        let both = try read("monitoring: { certificate: /c.pem, key: /k.pem }")
        #expect(both.monitoring.tls == TLSFiles(certificate: "/c.pem", key: "/k.pem"))
        for line in ["monitoring: { certificate: /c.pem }", "monitoring: { key: /k.pem }"] {
            let error = try #require(throws: TidemarkError.self) { try read(line) }
            #expect(error.message.contains("belong together"), "\(error.message)")
            #expect(error.code == .configuration)
        }
    }

    @Test func `who lets others reach the server is told what is missing`() throws {
        func notices(_ line: String) throws -> [String] { try read(line).notices }
        #expect(try notices("monitoring: { listen: \"127.0.0.1:9187\" }").isEmpty)
        #expect(try notices("monitoring: { listen: \"[::1]:9187\" }").isEmpty)
        #expect(try notices("monitoring: { listen: \"localhost:9187\" }").isEmpty)
        #expect(try notices("monitoring: { listen: none }").isEmpty)
        let open = try notices("monitoring: { listen: \":9187\" }")
        #expect(open.count == 1)
        #expect(open.first?.contains("tidemark.yml:3: monitoring.listen") == true, "\(open)")
        #expect(open.first?.contains("give monitoring.token") == true)
        let clear = try notices("monitoring: { listen: \"0.0.0.0:9187\", token: abcdefgh }")
        #expect(clear.first?.contains("in the clear") == true, "\(clear)")
        #expect(!clear.joined().contains("abcdefgh"))
        #expect(
            try notices(
                "monitoring: { listen: \":1\", token: abcdefgh, certificate: /c, key: /k }"
            ).isEmpty)
    }
}
