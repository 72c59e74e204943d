import Model

extension RestoreOrder {
    /// The part of `count` bytes of the stream that is still wanted: from the next byte to the
    /// stop; nil when there is none. Throws `archiveIncomplete` for a hole.
    func wanted(
        _ count: Int, at first: UInt64, from next: UInt64
    ) throws(TidemarkError) -> Range<Int>? {
        if let stop, next >= stop.end { return nil }
        guard first <= next else {
            throw TidemarkError(
                .archiveIncomplete,
                "the archive of \(source) misses the bytes from \(next) to \(first)",
                remedy: "run `tidemark verify`, and take an earlier target")
        }
        let from = Int(min(next - first, UInt64(count)))
        let end = stop?.end ?? .max
        let until = Int(min(end > first ? end - first : 0, UInt64(count)))
        return from < until ? from..<until : nil
    }
}
