import Model
import Monitoring

/// Builds status documents from a few numbers.
enum SampleStatus {
    static func time(_ seconds: Double) -> CommitTime {
        CommitTime(microseconds: Int64(seconds * 1e6))
    }

    static func source(
        _ name: String = "ledger", _ kind: DatabaseKind = .postgres,
        state: StreamState = .streaming, exposure: Double? = 0.4, rpo: Double = 900,
        reason: String = ""
    ) -> SourceStatus {
        var source = SourceStatus(
            name: SourceID(name)!, kind: kind, state: state, timeline: TimelineID("1"),
            receivedPosition: "0/20", archivedPosition: "0/10", restorableTo: time(1000),
            exposureSeconds: exposure, rpoSeconds: rpo,
            recoveryWindows: [
                .init(RecoveryWindow(timeline: TimelineID("1"), from: time(10), to: time(1000)))
            ], gaps: [],
            lastBackup: .init(
                BaseBackupDescriptor(
                    id: "b1", source: SourceID(name)!, kind: kind, timeline: TimelineID("1"),
                    start: 1, end: 2, started: time(500), finished: time(520), bytes: 1000,
                    storedBytes: 400, files: [],
                    server: ServerFacts(identity: "7", version: "150020"), warnings: [])),
            sourceWindow: SourceWindow(kind: "slot", headroomSeconds: 60, headroomBytes: 123),
            reason: reason)
        source.ordinals = .init(received: 32, archived: 16)
        source.answerAge = 0.25
        return source
    }

    static func document(
        _ sources: [SourceStatus] = [source()], repository: String = "ok"
    ) -> StatusDocument {
        StatusDocument(
            time: time(1000.4), repository: "file:///archive", state: repository, sources: sources)
    }
}
