import Model
import Monitoring
import Platform
import Repository

/// A sidecar that says what a test told it to.
final class FixedView: SidecarView {
    private let document: Monitor<StatusDocument>
    let isReady: Bool

    init(_ document: StatusDocument = SampleStatus.document(), isReady: Bool = true) {
        self.document = Monitor(document)
        self.isReady = isReady
    }

    func show(_ new: StatusDocument) { document.update { $0 = new } }

    func status() -> StatusDocument { document.read { $0 } }

    func counters() -> [(source: SourceID, kind: DatabaseKind, values: SourceCounters.Values)] {
        status().sources.map { source in
            var values = SourceCounters.Values()
            values.receivedBytes = 5000
            values.archivedBytes = 4000
            values.flushes[2] = 7
            values.flushSum = 0.125
            return (source.name, source.kind, values)
        }
    }

    func stored() -> StoredBytes? {
        var sources: [SourceID: StoredBytes.Source] = [:]
        for source in status().sources {
            sources[source.name] = .init(
                segments: 3, segmentBytes: 300, backups: 1, backupBytes: 400)
        }
        return StoredBytes(sources: sources)
    }

    func history() -> [(source: SourceID, history: SourceHistory)] {
        let minute = HistoryPoint.minute(of: status().time.time)
        return status().sources.map { source in
            var history = SourceHistory()
            history.add(
                HistoryPoint(minute: minute, exposureSeconds: 0.8, archivedBytes: 12345))
            return (source.name, history)
        }
    }

    func timeline() -> TimelineDocument {
        TimelineDocument(time: status().time.time, sources: [])
    }

    func moment(_ at: CommitTime) -> MomentDocument {
        MomentDocument(
            at: at, sources: [], command: nil, findCommand: "tidemark find")
    }
}
