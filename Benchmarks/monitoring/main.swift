import Glibc
import Logging
import Model
import Monitoring
import Platform
import Repository

/// Thirty sources that are followed, each with a day of history, as a busy sidecar would show them.
final class ThirtySources: SidecarView {
    private let time = SystemTimeSource()
    private let names = (1...30).map { SourceID("source-\($0)")! }
    private let counts = SourceCounters()
    private let past: SourceHistory

    init() {
        var past = SourceHistory()
        let now = HistoryPoint.minute(of: time.wall())
        for minute in now - 1500...now {
            past.add(
                HistoryPoint(
                    minute: minute, exposureSeconds: Double(minute % 97) / 50,
                    archivedBytes: UInt64(minute % 1009) * 4096))
        }
        self.past = past
    }

    let isReady = true

    func status() -> StatusDocument {
        let now = time.wall()
        return StatusDocument(
            time: now, repository: "file:///archive", state: "ok",
            sources: names.map { name in
                let window = RecoveryWindow(
                    timeline: TimelineID("1"), from: now.advanced(bySeconds: -2_592_000),
                    to: now.advanced(bySeconds: -0.4))
                var source = SourceStatus(
                    name: name, kind: .postgres, state: .streaming, timeline: TimelineID("1"),
                    receivedPosition: "1/3000148", archivedPosition: "1/3000148",
                    restorableTo: window.to, exposureSeconds: 0.4, rpoSeconds: 900,
                    recoveryWindows: [.init(window)], gaps: [], lastBackup: nil,
                    sourceWindow: SourceWindow(
                        kind: "slot", headroomSeconds: 86_400, headroomBytes: 1 << 34), reason: "")
                source.ordinals = .init(received: 4_345_299_272, archived: 4_345_299_272)
                source.answerAge = 0.3
                return source
            })
    }

    func counters() -> [(source: SourceID, kind: DatabaseKind, values: SourceCounters.Values)] {
        counts.add(received: 8192, archived: 8192)
        counts.flushed(seconds: 0.0007)
        return names.map { ($0, .postgres, counts.values) }
    }

    func stored() -> StoredBytes? {
        StoredBytes(
            sources: Dictionary(
                uniqueKeysWithValues: names.map {
                    ($0, .init(segments: 9000, segmentBytes: 1 << 35, backups: 30, backupBytes: 1))
                }))
    }

    func history() -> [(source: SourceID, history: SourceHistory)] { names.map { ($0, past) } }

    // Pages ask for these when somebody looks at the time axis; the benchmark does not.
    func timeline() -> TimelineDocument { TimelineDocument(time: status().time.time, sources: []) }

    func moment(_ at: CommitTime) -> MomentDocument {
        MomentDocument(
            at: at, sources: [], command: nil, findCommand: "")
    }
}

let view = ThirtySources()
let feed = LiveFeed()
let server = try MonitoringServer(
    HTTPOptions(host: "127.0.0.1", port: Int(CommandLine.arguments.last ?? "") ?? 9187), view: view,
    feed: feed, log: Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() })
let pages = DedicatedThread<Void>("bench-feed") { () throws(TidemarkError) in
    let never = Monitor(false)
    while true {
        _ = never.wait(seconds: 1) { $0 ? true : nil }
        if feed.isWanted { try feed.publish(LiveDocument(view)) }
    }
}
try await server.run()
