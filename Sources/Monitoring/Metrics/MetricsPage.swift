import Model
import Platform

/// The body of `/metrics`, put together from plain values. Pure.
///
/// A number that is not known has no sample: a zero would be believed.
struct MetricsPage {
    let document: StatusDocument
    let counters: [(source: SourceID, kind: DatabaseKind, values: SourceCounters.Values)]
    let stored: StoredBytes?
    let process: ProcessUse
    let isReady: Bool

    func text(_ dialect: OpenMetricsText.Dialect) -> String {
        var out = OpenMetricsText(dialect)
        objectives(&out)
        states(&out)
        positions(&out)
        stream(&out)
        backups(&out)
        repository(&out)
        program(&out)
        return out.document
    }

    private func labels(_ source: SourceID, _ kind: DatabaseKind) -> OpenMetricsText.Labels {
        [("source", source.name), ("kind", kind.rawValue)]
    }

    /// A gauge of every source that has a value.
    private func gauge(
        _ name: String, unit: String? = nil, _ help: String, _ out: inout OpenMetricsText,
        _ value: (SourceStatus) -> Double?
    ) {
        out.family(name, .gauge, unit: unit, help)
        for source in document.sources {
            if let value = value(source) {
                out.sample(name, labels(source.name, source.kind), value)
            }
        }
    }

    private func objectives(_ out: inout OpenMetricsText) {
        gauge(
            "tidemark_exposure_seconds", unit: "seconds",
            "What would be lost if the source were gone now; no sample when nothing is proved.",
            &out
        ) { $0.exposureSeconds }
        gauge(
            "tidemark_rpo_seconds", unit: "seconds", "The most that may be lost.", &out
        ) { $0.rpoSeconds }
        gauge(
            "tidemark_restorable_to_timestamp_seconds", unit: "seconds",
            "Everything committed up to this source time is durable in the archive.", &out
        ) { $0.restorableTo.map { Self.seconds($0.time) } }
        gauge(
            "tidemark_healthy",
            "1 while the source is followed within its objective, as /health/database judges it.",
            &out
        ) { HealthVerdict.problem(of: $0) == nil ? 1 : 0 }
    }

    private func states(_ out: inout OpenMetricsText) {
        out.family("tidemark_state", .gauge, "1 for the state that the source's stream is in.")
        for source in document.sources {
            for state in StreamState.allCases {
                out.sample(
                    "tidemark_state",
                    labels(source.name, source.kind) + [("state", state.rawValue)],
                    source.state == state ? 1.0 : 0.0)
            }
        }
        out.family("tidemark_objective", .gauge, "1 for how the exposure stands.")
        for source in document.sources {
            for objective in ObjectiveState.allCases {
                out.sample(
                    "tidemark_objective",
                    labels(source.name, source.kind) + [("objective", objective.rawValue)],
                    source.objective == objective ? 1.0 : 0.0)
            }
        }
    }

    private func positions(_ out: inout OpenMetricsText) {
        gauge(
            "tidemark_source_headroom_bytes", unit: "bytes",
            "History that the source still keeps for the archive.", &out
        ) { $0.sourceWindow?.headroomBytes.map(Double.init) }
        gauge(
            "tidemark_source_headroom_seconds", unit: "seconds",
            "How long an outage the source's kept history survives at the present rate.", &out
        ) { $0.sourceWindow?.headroomSeconds }
        gauge(
            "tidemark_recovery_window_start_timestamp_seconds", unit: "seconds",
            "Oldest moment that can be restored.", &out
        ) { $0.recoveryWindows.first.map { Self.seconds($0.from.time) } }
        gauge(
            "tidemark_recovery_window_end_timestamp_seconds", unit: "seconds",
            "Newest moment that can be restored.", &out
        ) { $0.recoveryWindows.last.map { Self.seconds($0.to.time) } }
        gauge("tidemark_gaps", "Stretches of history that are lost.", &out) {
            Double($0.gaps.count)
        }
    }

    private func stream(_ out: inout OpenMetricsText) {
        counter("tidemark_received_bytes", unit: "bytes", "Received from the source.", &out) {
            $0.receivedBytes
        }
        counter("tidemark_archived_bytes", unit: "bytes", "Made durable, uncompressed.", &out) {
            $0.archivedBytes
        }
        counter("tidemark_stored_bytes", unit: "bytes", "Sealed segments' sizes.", &out) {
            $0.storedBytes
        }
        counter("tidemark_segments_sealed", "Segments completed.", &out) { $0.segments }
        counter("tidemark_connects", "Streams opened.", &out) { $0.connects }
        counter("tidemark_stream_failures", "Streams that failed.", &out) { $0.failures }
        counter("tidemark_gaps_found", "Gaps recorded by this process.", &out) { $0.gaps }
        let name = "tidemark_flush_duration_seconds"
        out.family(
            name, .histogram, unit: "seconds", "How long it took to make received bytes durable.")
        for source in counters {
            out.histogram(
                name, labels(source.source, source.kind), bounds: SourceCounters.flushBounds,
                counts: source.values.flushes, sum: source.values.flushSum)
        }
    }

    private func counter(
        _ name: String, unit: String? = nil, _ help: String, _ out: inout OpenMetricsText,
        _ value: (SourceCounters.Values) -> UInt64
    ) {
        out.family(name, .counter, unit: unit, help)
        for source in counters {
            out.sample(
                name + "_total", labels(source.source, source.kind), value(source.values))
        }
    }

    private func backups(_ out: inout OpenMetricsText) {
        gauge(
            "tidemark_base_backup_age_seconds", unit: "seconds",
            "Since the newest base backup was finished.", &out
        ) { $0.lastBackup.map { document.time.time.seconds(since: $0.finished.time) } }
        gauge(
            "tidemark_base_backup_duration_seconds", unit: "seconds",
            "How long the newest base backup took.", &out
        ) { $0.lastBackup.map(\.seconds) }
        gauge(
            "tidemark_base_backup_bytes", unit: "bytes",
            "What the newest base backup holds, uncompressed.", &out
        ) { $0.lastBackup.map { Double($0.bytes) } }
        gauge(
            "tidemark_base_backup_stored_bytes", unit: "bytes",
            "The newest base backup's size in the archive.", &out
        ) { $0.lastBackup.map { Double($0.storedBytes) } }
    }

    private func repository(_ out: inout OpenMetricsText) {
        out.family("tidemark_repository_up", .gauge, "1 while the repository answers.")
        out.sample("tidemark_repository_up", [], document.repository.state == "ok" ? 1.0 : 0.0)
        let parts: [(String, (StoredBytes.Source) -> (UInt64, Int))] = [
            ("segment", { ($0.segmentBytes, $0.segments) }),
            ("base_backup", { ($0.backupBytes, $0.backups) }),
        ]
        let found = document.sources.compactMap { source in
            stored?.sources[source.name].map { (labels(source.name, source.kind), $0) }
        }
        out.family(
            "tidemark_repository_bytes", .gauge, unit: "bytes",
            "What lies in the repository, by what it is.")
        for (labels, source) in found {
            for (part, value) in parts {
                out.sample(
                    "tidemark_repository_bytes", labels + [("part", part)], value(source).0)
            }
        }
        out.family("tidemark_repository_files", .gauge, "How many lie there, by what they are.")
        for (labels, source) in found {
            for (part, value) in parts {
                out.sample(
                    "tidemark_repository_files", labels + [("part", part)],
                    UInt64(value(source).1))
            }
        }
    }

    private func program(_ out: inout OpenMetricsText) {
        out.family("tidemark_ready", .gauge, "1 once every source has been streamed from.")
        out.sample("tidemark_ready", [], isReady ? 1.0 : 0.0)
        out.family(
            "tidemark_process_cpu_seconds", .counter, unit: "seconds", "CPU time of this process.")
        out.sample("tidemark_process_cpu_seconds_total", [], process.cpuSeconds)
        out.family(
            "tidemark_process_resident_memory_bytes", .gauge, unit: "bytes",
            "Resident memory of this process.")
        if let bytes = process.residentBytes {
            out.sample("tidemark_process_resident_memory_bytes", [], bytes)
        }
        out.family("tidemark_build", .info, "Which version runs.")
        out.sample("tidemark_build_info", [("version", ProgramVersion.text)], 1.0)
    }

    private static func seconds(_ time: CommitTime) -> Double {
        Double(time.microseconds) / 1e6
    }
}
