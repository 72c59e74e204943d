import FoundationEssentials
import Model
import Testing

/// The JSON of the archive's documents: the keys are a contract.
@Suite struct DocumentTests {
    private let time = CommitTime(microseconds: 1_795_348_800_250_001)
    private let one = TimelineID("1")

    /// The value must come back equal, and have exactly these keys.
    private func check<Document: Codable & Equatable>(
        _ value: Document, _ keys: Set<String>, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let json = try JSONEncoder().encode(value)
        let back = try JSONDecoder().decode(Document.self, from: json)
        #expect(back == value, sourceLocation: sourceLocation)
        let fields = try JSONDecoder().decode([String: AnyValue].self, from: json)
        #expect(Set(fields.keys) == keys, sourceLocation: sourceLocation)
    }

    /// Takes any JSON value.
    private struct AnyValue: Decodable {
        init(from decoder: any Decoder) throws {}
    }

    @Test func `a forecast from minutes never speaks of more than a day`() {
        func seconds(_ forecast: Double?) -> Double? {
            SourceWindow(kind: "slot", headroomSeconds: forecast, headroomBytes: 1).headroomSeconds
        }
        #expect(seconds(195_720_222) == 86_400 && seconds(60) == 60 && seconds(nil) == nil)
    }

    @Test func `a segment's footer`() throws {
        let range = PositionRange(timeline: one, first: 1 << 24, last: 2 << 24)
        let segment = SegmentDescriptor(
            source: SourceID("ledger")!, kind: .postgres, range: range, firstCommit: time,
            lastCommit: time, bytes: 1 << 24, sha256: "ab", previousSHA256: "cd",
            serverVersion: "150020",
            index: [TimeIndexEntry(position: 20_000_000, earliest: time, latest: time)],
            restorePoints: [EmbeddedRestorePoint(name: "p", position: 21_000_000, time: time)])
        #expect(segment.range == range)
        try check(
            segment,
            [
                "source", "kind", "timeline", "first", "last", "first_commit", "last_commit",
                "bytes", "sha256", "previous_sha256", "server_version", "index", "restore_points",
            ])
    }

    @Test func `a base backup's manifest`() throws {
        let file = StoredFile(
            name: "base.tar.lz4", role: .data, origin: nil, location: nil, bytes: 10,
            storedBytes: 5, storedSHA256: "ab")
        let backup = BaseBackupDescriptor(
            id: "20261122T120000Z-1-0", source: SourceID("ledger")!, kind: .postgres,
            timeline: one, start: 1, end: 2, started: time, finished: time, bytes: 10,
            storedBytes: 5, files: [file],
            server: ServerFacts(identity: "7", version: "150020", settings: ["a": "b"]),
            warnings: ["w"])
        try check(
            backup,
            [
                "id", "source", "kind", "timeline", "start", "end", "started", "finished", "bytes",
                "stored_bytes", "files", "server", "warnings",
            ])
        try check(file, ["name", "role", "bytes", "stored_bytes", "stored_sha256"])
    }

    @Test func `source, watermark, gap, point and window`() throws {
        try check(
            SourceDescriptor(
                source: SourceID("ledger")!, kind: .postgres, identity: "7", majorVersion: "15",
                segmentBytes: 1 << 24, created: time),
            ["source", "kind", "identity", "major_version", "segment_bytes", "created"])
        try check(
            Watermark(
                timeline: one, state: .streaming, received: 2, archived: 1, restorableTo: time,
                provedAt: time, written: time, clockOffsetSeconds: 0.1, clockErrorSeconds: 0.01,
                sourceWindow: SourceWindow(kind: "slot", headroomSeconds: nil, headroomBytes: 9)),
            [
                "timeline", "state", "received", "archived", "restorable_to", "proved_at",
                "written", "written_uptime", "boot", "clock_offset_seconds", "clock_error_seconds",
                "source_window", "reason",
            ])
        try check(
            Gap(timeline: one, first: 1, last: 2, found: time, reason: "slot lost"),
            ["timeline", "first", "last", "found", "reason"])
        try check(
            Gap(
                timeline: one, first: 1, last: 2, nextTimeline: TimelineID("2"), found: time,
                reason: "slot lost", restorableTo: time),
            [
                "timeline", "first", "last", "next_timeline", "found", "reason", "restorable_to",
            ])
        try check(PushedMark(ends: ["1": 1 << 24]), ["ends"])
        try check(
            RestorePoint(name: "p", timeline: one, position: 1, time: time),
            ["name", "timeline", "position", "time"])
        try check(RecoveryWindow(timeline: one, from: time, to: time), ["timeline", "from", "to"])
        try check(
            SourceWindow(kind: "slot", headroomSeconds: nil, headroomBytes: nil),
            ["kind", "headroom_seconds", "headroom_bytes"])
    }

    @Test func `what was pushed only grows`() {
        var mark = PushedMark()
        #expect(mark.end(of: one) == nil)
        let news = [(one, 200), (one, 100), (one, 200), (TimelineID("2"), 100)].map {
            mark.advance($0.0, to: UInt64($0.1))
        }
        #expect(news == [true, false, false, true])
        #expect(mark.ends == ["1": 200, "2": 100])
    }

    @Test func `a gap runs forward`() {
        let gap = Gap(timeline: one, first: 1, last: 2, found: time, reason: "")
        #expect(gap.range == PositionRange(timeline: one, first: 1, last: 2))
    }

    @Test func `states have the names of the contract`() {
        #expect(
            StreamState.allCases.map(\.rawValue) == [
                "connecting", "catching-up", "streaming", "stalled", "gap", "stopped",
            ])
        #expect(ObjectiveState.atRisk.rawValue == "at-risk")
        #expect(DatabaseKind.allCases.map(\.rawValue) == ["postgres", "mongodb", "redis"])
    }
}
