import Model

/// Tells a damaged open segment from one that a crash has torn, before its end is cut off.
///
/// A crash tears what was never acknowledged, and leaves nothing whole behind it. Where whole
/// frames follow, or the content ends before what was acknowledged, the file is damaged: it is
/// copied, since nobody else may have what can still be read from it, and only then mended. After a
/// power failure in the middle of large writes whole frames may follow, too; then the copy is only
/// superfluous.
struct DamageCheck {
    private let context: WriterContext
    private let range: PositionRange

    /// Copies of one place in one file; more come only from a disk that has to be replaced.
    private static let copyLimit = 20
    private static let blockBytes = 1 << 20

    init(_ context: WriterContext, _ range: PositionRange) {
        self.context = context
        self.range = range
    }

    /// Sets a damaged file aside and reports it; does nothing for one that is whole or torn.
    func run(
        _ file: any AppendableFile, _ survey: SegmentSurvey
    ) throws(TidemarkError) {
        let end = survey.reach(from: range.first)
        let isShort = expected.map { end < $0 } ?? false
        guard file.size > 0, isShort || survey.resumesAt != nil else { return }
        var found = DamagedSegment(
            key: context.partialKey(range), offset: survey.end,
            end: Position(timeline: range.timeline, ordinal: end), acknowledged: acknowledged,
            resumesAt: survey.resumesAt)
        // Behind a clean end lie zeros only: it is being filled again, or was cut off by somebody.
        if !survey.isClean {
            found.copy = try setAside(file, found)
            try context.options.failpoint(.damageSetAside)
        }
        context.options.damaged(found)
    }

    private var acknowledged: UInt64? {
        guard let known = context.options.acknowledged, known.timeline == range.timeline else {
            return nil
        }
        return known.ordinal
    }

    /// Where the content must end at least; nil where the segment's own end is not known.
    private var expected: UInt64? {
        range.isEmpty ? nil : acknowledged.map { min($0, range.last) }
    }

    /// Copies the file under the first free name. A copy with the same bytes is left of a crash.
    private func setAside(
        _ file: any AppendableFile, _ found: DamagedSegment
    ) throws(TidemarkError) -> ObjectKey {
        for number in 1...Self.copyLimit {
            let key = SetAside.key(of: found.key, at: found.offset, number)
            if try context.store.size(key) == nil {
                try copy(file, to: key)
                return key
            }
            if try isCopy(key, of: file) { return key }
        }
        throw TidemarkError(
            .archiveDamaged,
            "\(found.key) is damaged at byte \(found.offset), and \(Self.copyLimit) copies of it "
                + "are kept already",
            remedy: "replace the disk, or remove the files named \(found.key.name).damaged-…")
    }

    private func copy(
        _ file: any AppendableFile, to key: ObjectKey
    ) throws(TidemarkError) {
        let writer = try context.store.create(key)
        do {
            var offset: UInt64 = 0
            while true {
                let bytes = try file.read(at: offset, Self.blockBytes)
                if bytes.isEmpty { break }
                try writer.write(bytes)
                offset += UInt64(bytes.count)
            }
            try writer.finish()
        } catch {
            writer.abort()
            throw error
        }
    }

    private func isCopy(
        _ key: ObjectKey, of file: any AppendableFile
    ) throws(TidemarkError) -> Bool {
        let reader = try context.store.open(key, at: 0)
        defer { reader.close() }
        guard reader.size == file.size else { return false }
        var offset: UInt64 = 0
        while true {
            let bytes = try reader.read(Self.blockBytes)
            if bytes.isEmpty { return offset == file.size }
            guard try file.read(at: offset, bytes.count) == bytes else { return false }
            offset += UInt64(bytes.count)
        }
    }
}
