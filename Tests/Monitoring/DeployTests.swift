import FoundationEssentials
import Model
import Platform
import TestKit
import Testing

@testable import Monitoring

/// What is given away for Prometheus and Grafana fits what the sidecar serves.
@Suite(.timeLimit(.minutes(3)))
struct DeployTests {
    private static let root = "\(#filePath)".split(separator: "/").dropLast(3)
        .reduce("") { $0 + "/" + $1 }

    private func text(_ path: String) throws -> String {
        try Subprocess.run("/bin/cat", [Self.root + "/Deploy/" + path], seconds: 10).output
    }

    private func page(_ dialect: OpenMetricsText.Dialect) -> String {
        let view = FixedView()
        let page = MetricsPage(
            document: view.status(), counters: view.counters(), stored: view.stored(),
            process: ProcessUse(cpuSeconds: 1, residentBytes: 1), isReady: true)
        return String(decoding: page.bytes(dialect), as: UTF8.self)
    }

    /// The names of all samples.
    private func served() -> Set<Substring> {
        Set(
            page(.openMetrics).split(separator: "\n").filter { !$0.hasPrefix("#") }.compactMap {
                $0.split { " {".contains($0) }.first
            })
    }

    private func names(_ text: String) -> Set<Substring> {
        Set(
            text.matches(of: /\btidemark_[a-z_]+/).map(\.output))
    }

    @Test func `promtool accepts the metrics without a warning`() async throws {
        let text = page(.prometheus)
        try await offPool {
            let done = try Subprocess.run(
                "/usr/bin/promtool", ["check", "metrics"],
                SubprocessOptions(input: Array(text.utf8)), seconds: 60)
            #expect(done.status.isSuccess, "\(done.errors)")
            #expect(done.output + done.errors == "")
        }
    }

    @Test func `the OpenMetrics dialect is what another reader of it understands`() async throws {
        let text = page(.openMetrics)
        try await offPool {
            let script = """
                import sys
                from prometheus_client.openmetrics.parser import text_string_to_metric_families
                print(len(list(text_string_to_metric_families(sys.stdin.read()))))
                """
            let done = try Subprocess.run(
                "/usr/bin/python3", ["-c", script],
                SubprocessOptions(input: Array(text.utf8)), seconds: 60)
            #expect(done.status.isSuccess, "\(done.errors)")
            #expect((Int(done.output.split(separator: "\n").first ?? "") ?? 0) > 25)
        }
    }

    @Test func `the alert rules are right, and use only what is served`() async throws {
        try await offPool {
            let folder = Self.root + "/Deploy/prometheus"
            for words in [
                ["check", "rules", "tidemark.rules.yml"],
                ["test", "rules", "tidemark.rules.test.yml"],
            ] {
                let done = try Subprocess.run(
                    "/usr/bin/promtool", words, SubprocessOptions(directory: folder), seconds: 60)
                #expect(done.status.isSuccess, "\(words): \(done.output)\(done.errors)")
            }
            let unknown = names(try text("prometheus/tidemark.rules.yml")).subtracting(served())
            #expect(unknown.isEmpty, "\(unknown)")
        }
    }

    private struct Dashboard: Decodable {
        struct Panel: Decodable {
            struct Target: Decodable { var expr: String }
            var title: String
            var targets: [Target]
        }
        var panels: [Panel]
    }

    @Test func `the dashboard's queries use only what is served`() async throws {
        try await offPool {
            let text = try text("grafana/tidemark.json")
            let dashboard = try JSONDecoder().decode(Dashboard.self, from: Data(text.utf8))
            #expect(dashboard.panels.count > 8)
            let served = served()
            for panel in dashboard.panels {
                #expect(!panel.targets.isEmpty, "\(panel.title)")
                for target in panel.targets {
                    let names = names(target.expr)
                    #expect(!names.isEmpty, "\(target.expr)")
                    #expect(names.isSubset(of: served), "\(target.expr)")
                }
            }
        }
    }
}
