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
    /// Of the sources of `document` and of `counters`, at the same places.
    private let labels: [OpenMetricsText.Labels]
    private let counterLabels: [OpenMetricsText.Labels]

    /// What a source has about, its histogram included.
    private static let samplesPerSource = 70

    init(
        document: StatusDocument,
        counters: [(source: SourceID, kind: DatabaseKind, values: SourceCounters.Values)],
        stored: StoredBytes?, process: ProcessUse, isReady: Bool
    ) {
        self.document = document
        self.counters = counters
        self.stored = stored
        self.process = process
        self.isReady = isReady
        labels = document.sources.map { Self.labels($0.name, $0.kind) }
        counterLabels = counters.map { Self.labels($0.source, $0.kind) }
    }

    func bytes(_ dialect: OpenMetricsText.Dialect) -> [UInt8] {
        var out = OpenMetricsText(
            dialect, samples: Self.samplesPerSource * (1 + document.sources.count))
        objectives(&out)
        states(&out)
        positions(&out)
        stream(&out)
        backups(&out)
        repository(&out)
        program(&out)
        return out.document
    }

    private static func labels(
        _ source: SourceID, _ kind: DatabaseKind
    ) -> OpenMetricsText.Labels {
        .init(["source": source.name, "kind": kind.rawValue])
    }

    /// A gauge of every source that has a value.
    private func gauge(
        _ name: String, unit: String? = nil, _ help: String, _ out: inout OpenMetricsText,
        _ value: (SourceStatus) -> Double?
    ) {
        out.family(name, .gauge, unit: unit, help)
        for place in document.sources.indices {
            if let value = value(document.sources[place]) { out.sample(name, labels[place], value) }
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
        for (place, source) in document.sources.enumerated() {
            out.choice(
                "tidemark_state", labels[place], "state", of: Self.states,
                is: source.state.rawValue)
        }
        out.family("tidemark_objective", .gauge, "1 for how the exposure stands.")
        for (place, source) in document.sources.enumerated() {
            out.choice(
                "tidemark_objective", labels[place], "objective", of: Self.objectives,
                is: source.objective.rawValue)
        }
    }

    private static let states = StreamState.allCases.map(\.rawValue)
    private static let objectives = ObjectiveState.allCases.map(\.rawValue)

    /// A whole number of every source that has one: positions go beyond what a double can hold.
    private func number(
        _ name: String, _ help: String, _ out: inout OpenMetricsText,
        _ value: (SourceStatus) -> UInt64?
    ) {
        out.family(name, .gauge, help)
        for place in document.sources.indices {
            if let value = value(document.sources[place]) { out.sample(name, labels[place], value) }
        }
    }

    private func positions(_ out: inout OpenMetricsText) {
        number(
            "tidemark_received_position", "Received up to here, within the timeline.", &out
        ) { $0.ordinals?.received }
        number(
            "tidemark_archived_position", "Durable in the archive up to here, within the timeline.",
            &out
        ) { $0.ordinals?.archived }
        gauge(
            "tidemark_probe_age_seconds", unit: "seconds",
            "Since the source last answered how far it is.", &out
        ) { $0.answerAge }
        gauge(
            "tidemark_source_headroom_bytes", unit: "bytes",
            "History that the source still keeps for the archive.", &out
        ) { $0.sourceWindow?.headroomBytes.map { Double($0) } }
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
        for (place, source) in counters.enumerated() {
            out.histogram(
                name, counterLabels[place], bounds: SourceCounters.flushBounds,
                counts: source.values.flushes, sum: source.values.flushSum)
        }
    }

    private func counter(
        _ name: String, unit: String? = nil, _ help: String, _ out: inout OpenMetricsText,
        _ value: (SourceCounters.Values) -> UInt64
    ) {
        out.family(name, .counter, unit: unit, help)
        for place in counters.indices {
            out.sample(
                name, suffix: "_total", counterLabels[place], value(counters[place].values))
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
        out.sample(
            "tidemark_repository_up", .none, document.repository.state == "ok" ? 1.0 : 0.0)
        parts(
            "tidemark_repository_bytes", unit: "bytes",
            "What lies in the repository, by what it is.", &out
        ) { ($0.segmentBytes, $0.backupBytes) }
        parts(
            "tidemark_repository_files", "How many lie there, by what they are.", &out
        ) { (UInt64($0.segments), UInt64($0.backups)) }
    }

    /// A whole number for the segments and one for the base backups of every source that was read.
    private func parts(
        _ name: String, unit: String? = nil, _ help: String, _ out: inout OpenMetricsText,
        _ value: (StoredBytes.Source) -> (segments: UInt64, backups: UInt64)
    ) {
        out.family(name, .gauge, unit: unit, help)
        for place in document.sources.indices {
            guard let held = stored?.sources[document.sources[place].name] else { continue }
            let value = value(held)
            out.sample(name, labels[place].adding("part", "segment"), value.segments)
            out.sample(name, labels[place].adding("part", "base_backup"), value.backups)
        }
    }

    private func program(_ out: inout OpenMetricsText) {
        out.family("tidemark_ready", .gauge, "1 once every source has been streamed from.")
        out.sample("tidemark_ready", .none, isReady ? 1.0 : 0.0)
        out.family(
            "tidemark_process_cpu_seconds", .counter, unit: "seconds", "CPU time of this process.")
        out.sample(
            "tidemark_process_cpu_seconds", suffix: "_total", .none, process.cpuSeconds)
        out.family(
            "tidemark_process_resident_memory_bytes", .gauge, unit: "bytes",
            "Resident memory of this process.")
        if let bytes = process.residentBytes {
            out.sample("tidemark_process_resident_memory_bytes", .none, bytes)
        }
        out.family("tidemark_build", .info, "Which version runs.")
        out.sample(
            "tidemark_build", suffix: "_info", .init(["version": ProgramVersion.text]), 1.0)
    }

    private static func seconds(_ time: CommitTime) -> Double {
        Double(time.microseconds) / 1e6
    }
}
