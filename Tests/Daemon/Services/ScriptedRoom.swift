import Model
import Platform
import TestKit

/// A source of Redis's kind whose stream is on one timeline and sends ten bytes.
final class ScriptedRoom: DatabaseRoom {
    let kind = DatabaseKind.redis
    let source: SourceID
    private let timeline: TimelineID
    private let opening: @Sendable () -> Void
    private let acknowledged: @Sendable (UInt64) -> Void

    /// - Parameters:
    ///   - opening: called when a stream is opened.
    ///   - acknowledged: called with what the stream is told to be durable.
    init(
        _ source: SourceID, on timeline: TimelineID, opening: @escaping @Sendable () -> Void,
        acknowledged: @escaping @Sendable (UInt64) -> Void
    ) {
        self.source = source
        self.timeline = timeline
        self.opening = opening
        self.acknowledged = acknowledged
    }

    func style(segmentBytes: UInt64) -> any PositionStyle { HundredStyle() }

    func stream() -> any ChangeSource {
        ScriptedStream(
            source: source, timeline: timeline, opening: opening, acknowledged: acknowledged)
    }

    func inspector() -> any SourceInspector { preconditionFailure("nobody asks the source") }
    func baseBackup() -> any BaseBackupSource { preconditionFailure("nobody backs up") }
}

private final class ScriptedStream: ChangeSource {
    private let source: SourceID
    private let timeline: TimelineID
    private let opening: @Sendable () -> Void
    private let acknowledged: @Sendable (UInt64) -> Void
    private let woken = Monitor(false)
    private var isSent = false

    init(
        source: SourceID, timeline: TimelineID, opening: @escaping @Sendable () -> Void,
        acknowledged: @escaping @Sendable (UInt64) -> Void
    ) {
        self.source = source
        self.timeline = timeline
        self.opening = opening
        self.acknowledged = acknowledged
    }

    func open(_ resume: ResumePoint) throws(TidemarkError) -> StreamOpening {
        isSent = false
        opening()
        return StreamOpening(
            descriptor: resume.descriptor
                ?? SourceDescriptor(
                    source: source, kind: .redis, identity: timeline.name, majorVersion: "7.0",
                    segmentBytes: 100, created: CommitTime(microseconds: 0)),
            start: Position(timeline: timeline, ordinal: 0), serverVersion: "7.0.15",
            sourceEnd: 10)
    }

    func pull(
        until deadline: MonotonicTime, into sink: any ChangeSink
    ) throws(TidemarkError) -> StreamTurn {
        if isSent {
            _ = woken.wait(seconds: 0.05) { $0 ? true : nil }
            return .idle
        }
        isSent = true
        let bytes = [UInt8](repeating: 7, count: 10)
        try unsafe sink.append(bytes.span.bytes, at: 0)
        return .drained
    }

    func acknowledge(received: UInt64, durable: UInt64) throws(TidemarkError) {
        acknowledged(durable)
    }

    func wake() { woken.update { $0 = true } }
    func close() {}
}
