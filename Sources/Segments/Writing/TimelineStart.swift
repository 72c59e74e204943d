import Crypto
import Model

/// Takes up a timeline where an earlier run, or a crash, left it.
///
/// Open segments whose sealed twin exists are dropped after a comparison; complete ones are sealed;
/// the one that the archive ends in is continued; an incomplete one before a gap stays as it is.
struct TimelineStart {
    /// Where the stream starts.
    let start: UInt64
    /// Up to here the archive holds what the source will send again, without a hole.
    private(set) var archivedEnd: UInt64
    /// Sealed segments to compare with.
    private(set) var sealed: [TimelineFolder.Sealed] = []
    /// The segment that is continued, if any.
    private(set) var open: (range: PositionRange, file: OpenSegmentFile, survey: SegmentSurvey)?
    /// SHA-256 of the complete segment before the first that will be written.
    private(set) var previous: String?

    init(
        _ position: Position, serverVersion: String, _ context: WriterContext, _ encoders: Encoders
    ) throws(TidemarkError) {
        start = position.ordinal
        archivedEnd = start
        if case .aligned(let bytes) = context.options.rotation, start % bytes != 0 {
            throw TidemarkError(
                .failed,
                "\(context.source) wants to start at \(context.style.text(start)), "
                    + "which is not the start of a segment of \(bytes) bytes")
        }
        let folder = try TimelineFolder(position.timeline, context)
        try finishLeftovers(position.timeline, folder, serverVersion, context, encoders)
    }

    private mutating func finishLeftovers(
        _ timeline: TimelineID, _ before: TimelineFolder, _ serverVersion: String,
        _ context: WriterContext, _ encoders: Encoders
    ) throws(TidemarkError) {
        var incomplete: [PositionRange] = []
        for range in before.open where !context.options.isGuest || range.first == start {
            let known = try TimelineFolder(timeline, context)
            if try !settle(range, known, serverVersion, context, encoders) {
                incomplete.append(range)
            }
        }
        let folder = try TimelineFolder(timeline, context)
        while let next = folder.sealed(from: archivedEnd), next.range.last > archivedEnd {
            sealed.append(next)
            archivedEnd = next.range.last
        }
        if case .size = context.options.rotation, sealed.isEmpty,
            let range = incomplete.last(where: { $0.first < start })
        {
            try takeUp(range, folder, context)
        } else if let range = incomplete.first(where: { $0.first == archivedEnd }) {
            let (file, survey) = try context.openFile(range, hashing: false)
            open = (range, file, survey)
            archivedEnd = survey.reach(from: range.first)
        }
        if !context.style.countsBytes, archivedEnd > start {
            // Nothing can be compared by its place: the stream is to begin where the archive ends.
            open?.file.close()
            throw overtaken(archivedEnd, context)
        }
        do {
            previous = try Self.hash(of: folder.sealed(endingAt: sealedEnd), context)
        } catch {
            open?.file.close()
            throw error
        }
    }

    /// Takes up an open segment whose content ends where the stream goes on. Behind lost history
    /// the stream starts further on, and the open segment stays as it is.
    private mutating func takeUp(
        _ range: PositionRange, _ folder: TimelineFolder, _ context: WriterContext
    ) throws(TidemarkError) {
        let (file, survey) = try context.openFile(range, hashing: false)
        let end = survey.reach(from: range.first)
        if end == start {
            open = (range, file, survey)
            return
        }
        file.close()
        guard end < start else { throw overtaken(end, context) }
    }

    private func overtaken(_ end: UInt64, _ context: WriterContext) -> TidemarkError {
        TidemarkError(
            .sourceUnreachable,
            "\(context.source) was archived up to \(context.style.text(end)) while its stream "
                + "was opened at \(context.style.text(start))",
            remedy: "Tidemark connects again by itself; if this goes on, another sidecar "
                + "archives the same source")
    }

    /// Where the sealed part ends and the first segment to be written starts.
    private var sealedEnd: UInt64 { open?.range.first ?? archivedEnd }

    /// Brings one leftover to its end; false when it is incomplete and stays.
    private func settle(
        _ range: PositionRange, _ folder: TimelineFolder, _ serverVersion: String,
        _ context: WriterContext, _ encoders: Encoders
    ) throws(TidemarkError) -> Bool {
        let twin = folder.sealed(from: range.first)
        let (file, survey) = try context.openFile(range, hashing: true, isJudged: twin == nil)
        do {
            if let twin {
                let reader = try SegmentReader(context.store, twin.key)
                defer { reader.close() }
                try reader.requireSame(as: file, from: range.first, context)
                try file.discard()
                return true
            }
            let end = survey.reach(from: range.first)
            guard isComplete(range, end, folder, context) else {
                // An empty one holds nothing and says nothing.
                if survey.contentBytes == 0 { try file.discard() } else { file.close() }
                return survey.contentBytes == 0
            }
            let closed = ClosedSegment(
                file, PositionRange(timeline: range.timeline, first: range.first, last: end),
                survey.index, sha256: survey.sha256 ?? "",
                previous: try Self.hash(of: folder.sealed(endingAt: range.first), context),
                serverVersion: serverVersion, state: survey.state, context)
            try closed.seal(encoders)
            return true
        } catch {
            file.close()
            throw error
        }
    }

    private func isComplete(
        _ range: PositionRange, _ end: UInt64, _ folder: TimelineFolder, _ context: WriterContext
    ) -> Bool {
        switch context.options.rotation {
        case .aligned: end == range.last
        case .size: end > range.first && folder.continues(at: end)
        }
    }

    private static func hash(
        of sealed: TimelineFolder.Sealed?, _ context: WriterContext
    ) throws(TidemarkError) -> String? {
        guard let sealed else { return nil }
        let reader = try SegmentReader(context.store, sealed.key)
        defer { reader.close() }
        return reader.descriptor?.sha256
    }
}
