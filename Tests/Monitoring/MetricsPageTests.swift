import Model
import Platform
import Testing

@testable import Monitoring

struct MetricsPageTests {
    private func page(
        _ document: StatusDocument, _ dialect: OpenMetricsText.Dialect = .prometheus
    ) -> String {
        let view = FixedView(document)
        let page = MetricsPage(
            document: document, counters: view.counters(), stored: view.stored(),
            process: ProcessUse(cpuSeconds: 1.5, residentBytes: 1 << 20), isReady: true)
        return String(decoding: page.bytes(dialect), as: UTF8.self)
    }

    @Test func `everything that is known of a source is there, with its labels`() {
        let text = page(SampleStatus.document())
        let labels = "{source=\"ledger\",kind=\"postgres\"}"
        for line in [
            "tidemark_exposure_seconds\(labels) 0.4", "tidemark_rpo_seconds\(labels) 900.0",
            "tidemark_received_position\(labels) 32", "tidemark_archived_position\(labels) 16",
            "tidemark_probe_age_seconds\(labels) 0.25",
            "tidemark_received_bytes_total\(labels) 5000",
            "tidemark_archived_bytes_total\(labels) 4000",
            "tidemark_base_backup_duration_seconds\(labels) 20.0",
            "tidemark_base_backup_age_seconds\(labels) 480.4",
            "tidemark_recovery_window_start_timestamp_seconds\(labels) 10.0",
            "tidemark_recovery_window_end_timestamp_seconds\(labels) 1000.0",
            "tidemark_source_headroom_bytes\(labels) 123.0",
            "tidemark_source_headroom_seconds\(labels) 60.0",
            "tidemark_flush_duration_seconds_count\(labels) 7", "tidemark_gaps\(labels) 0.0",
            "tidemark_repository_up 1.0", "tidemark_ready 1.0",
            "tidemark_process_resident_memory_bytes 1048576",
        ] {
            #expect(text.contains("\n\(line)\n"), "\(line) is missing")
        }
        #expect(text.contains("state=\"streaming\"} 1.0"))
        #expect(text.contains("state=\"stalled\"} 0.0"))
        #expect(text.contains("tidemark_build_info{version=\"\(ProgramVersion.text)\"} 1.0"))
    }

    @Test func `what is not known has no sample, never a zero`() {
        var source = SampleStatus.source(state: .connecting, exposure: nil)
        source.lastBackup = nil
        source.sourceWindow = nil
        source.ordinals = nil
        source.answerAge = nil
        source.recoveryWindows = []
        let text = page(SampleStatus.document([source], repository: "gone"))
        for name in [
            "tidemark_exposure_seconds{", "tidemark_base_backup_age_seconds{",
            "tidemark_source_headroom_bytes{", "tidemark_archived_position{",
            "tidemark_probe_age_seconds{", "tidemark_recovery_window_end_timestamp_seconds{",
        ] {
            #expect(!text.contains("\n" + name), "\(name) has a sample")
        }
        #expect(text.contains("\ntidemark_repository_up 0.0\n"))
        #expect(text.contains("\ntidemark_healthy{source=\"ledger\",kind=\"postgres\"} 0.0\n"))
    }

    @Test func `a family's samples stand together, each family once`() {
        let text = page(
            SampleStatus.document([
                SampleStatus.source("a"), SampleStatus.source("b", .redis),
            ]), .openMetrics)
        var seen: [Substring] = []
        for line in text.split(separator: "\n") where line.hasPrefix("# TYPE ") {
            let name = line.split(separator: " ")[2]
            #expect(!seen.contains(name), "\(name) stands there twice")
            seen.append(name)
        }
        #expect(seen.count > 25)
        var current: Substring = ""
        for line in text.split(separator: "\n") {
            if line.hasPrefix("# TYPE ") { current = line.split(separator: " ")[2] }
            guard !line.hasPrefix("#") else { continue }
            #expect(line.hasPrefix(current), "\(line) stands among \(current)")
        }
        #expect(text.hasSuffix("\n# EOF\n"))
    }
}
