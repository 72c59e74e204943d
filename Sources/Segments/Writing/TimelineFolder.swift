import Model

/// What a timeline's folder holds, by name; contents are looked at by whoever asks.
struct TimelineFolder {
    struct Sealed {
        var range: PositionRange
        var key: ObjectKey
    }

    /// Ascending by position.
    var sealed: [Sealed] = []
    /// Ranges of open segments, ascending by position.
    var open: [PositionRange] = []

    /// Lists the folder; an empty one when it does not exist.
    init(_ timeline: TimelineID, _ context: WriterContext) throws(TidemarkError) {
        let sample = context.key(context.openRange(timeline, 0)).path
        let folder = String(sample[..<(sample.lastIndex(of: "/") ?? sample.startIndex)]) + "/"
        for info in try context.store.list(folder) {
            let name = info.key.name
            guard info.key.path == folder + name else { continue }
            if let compression = Compression(suffixOf: name) {
                let plain = String(name.dropLast(compression.suffix.count))
                if let range = context.style.parseSegmentName(plain, timeline: timeline) {
                    sealed.append(Sealed(range: range, key: info.key))
                }
            } else if name.hasSuffix(WriterContext.partialSuffix) {
                let plain = String(name.dropLast(WriterContext.partialSuffix.count))
                if let range = context.style.parseSegmentName(plain, timeline: timeline) {
                    open.append(range)
                }
            }
        }
        sealed.sort { $0.range.first < $1.range.first }
        open.sort { $0.first < $1.first }
    }

    func sealed(from first: UInt64) -> Sealed? { sealed.first { $0.range.first == first } }
    func sealed(endingAt last: UInt64) -> Sealed? { sealed.first { $0.range.last == last } }

    /// Whether anything is known to follow `position` directly.
    func continues(at position: UInt64) -> Bool {
        sealed.contains { $0.range.first == position } || open.contains { $0.first == position }
    }
}
