import Model

/// Answers a stop question from WAL, by way of `StopFinder`.
final class WalStopSearch: StopSearch {
    private let target: WalStopTarget
    private let descriptor: SourceDescriptor
    private let timeline: TimelineID
    /// Nil before the first bytes.
    private var finder: StopFinder?

    init(_ question: StopQuestion, of descriptor: SourceDescriptor, on timeline: TimelineID) {
        target =
            switch question {
            case .time(let time): .time(time)
            case .transaction(let number): .transaction(number)
            case .position(let ordinal): .position(ordinal)
            case .before(let ordinal): .before(ordinal)
            case .point(let name): .restorePoint(name)
            case .end: .latest
            }
        self.descriptor = descriptor
        self.timeline = timeline
    }

    func take(_ bytes: RawSpan, at first: UInt64) throws(TidemarkError) -> StopAnswer? {
        if finder == nil {
            let scanner = try WalScanner(
                startAt: first, segmentBytes: descriptor.segmentBytes,
                systemIdentifier: UInt64(descriptor.identity),
                timeline: timeline.postgresNumber, tail: .mayFollow)
            finder = StopFinder(target, scanner: scanner)
        }
        try finder?.feed(bytes, at: first)
        guard let finder, finder.isFound else { return nil }
        return answer(finder)
    }

    func finish() throws(TidemarkError) -> StopAnswer {
        finder.map(answer) ?? .absent(last: nil)
    }

    private func answer(_ finder: StopFinder) -> StopAnswer {
        switch finder.outcome {
        case .found(let stop): .stop(Self.stop(stop))
        case .beforeStart: .earlier
        case .notReached(let end): .absent(last: end.map(Self.stop))
        }
    }

    private static func stop(_ stop: WalStop) -> RecoveryStop {
        RecoveryStop(last: stop.record, end: stop.end, time: stop.lastCommit?.time)
    }
}
