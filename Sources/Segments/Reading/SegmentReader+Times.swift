package import Model

// Where a stream carries no times, what the archive knows of them.
extension SegmentReader {
    /// The index of a sealed segment, without the rest of its footer. Throws `notFound`,
    /// `archiveDamaged`.
    package static func index(
        _ store: any ObjectStore, _ key: ObjectKey
    ) throws(TidemarkError) -> [TimeIndexEntry] {
        guard let compression = Compression(suffixOf: key.name) else {
            preconditionFailure("an open segment has no footer")
        }
        let (json, length) = try footerJSON(store, key, compression)
        if let entries = FooterIndex.entries(json) { return entries }
        guard let descriptor = SegmentFooter.descriptor(json) else {
            throw noFooter(key, at: length)
        }
        return descriptor.index
    }

    /// What the notes between the frames say of the times in a range of positions, more exactly
    /// than the index does; in order. Empty where they were not kept. Reads to the end.
    package func times(in range: Range<UInt64>) throws(TidemarkError) -> [TimeIndexEntry] {
        guard let frames else { return [] }
        var found: [UInt64: TimeIndexEntry] = [:]
        var pending: [TimeIndexEntry] = []
        do {
            while let item = try frames.next() {
                switch item {
                case .note(.history, let note):
                    pending += HistoryNote.decode(note)?.stretches ?? []
                case .content:
                    // A note counts only with the content behind it.
                    for entry in pending where range.contains(entry.position) {
                        found[entry.position] =
                            found[entry.position].map { $0.merged(entry) }
                            ?? entry
                    }
                    pending = []
                case .note: break
                }
            }
        } catch let error where error.code == .archiveDamaged && !isSealed {
            endsTorn = true
        }
        return found.values.sorted { $0.position < $1.position }
    }

    /// What one stretch of an index that ends at `end` was made of, where the notes still tell all
    /// of it: part of what `times` found, else the stretch itself.
    package static func parts(
        of entry: TimeIndexEntry, until end: UInt64, in notes: [TimeIndexEntry]
    ) -> [TimeIndexEntry] {
        guard entry.position < end else { return [entry] }
        let first = Self.place(of: entry.position, in: notes)
        let found = Array(notes[first..<Self.place(of: end, in: notes)])
        guard found.first?.position == entry.position,
            found.map(\.latest).max() == entry.latest
        else { return [entry] }
        return found
    }

    /// Index of the first note at or behind a position.
    private static func place(of position: UInt64, in notes: [TimeIndexEntry]) -> Int {
        var (low, high) = (0, notes.count)
        while low < high {
            let middle = low + (high - low) / 2
            if notes[middle].position < position { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
