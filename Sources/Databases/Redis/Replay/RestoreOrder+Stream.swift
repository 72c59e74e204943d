import Model

extension RestoreOrder {
    /// The part of a stretch of the stream that is still wanted: from the next byte to the stop;
    /// nil when there is none. Throws `archiveIncomplete` for a hole.
    func wanted(
        _ bytes: RawSpan, at first: UInt64, from next: UInt64
    ) throws(TidemarkError) -> RawSpan? {
        if let stop, next >= stop.end { return nil }
        guard first <= next else {
            throw TidemarkError(
                .archiveIncomplete,
                "the archive of \(source) misses the bytes from \(next) to \(first)",
                remedy: "run `tidemark verify`, and take an earlier target")
        }
        let from = Int(min(next - first, UInt64(bytes.byteCount)))
        let end = stop?.end ?? .max
        let until = Int(min(end > first ? end - first : 0, UInt64(bytes.byteCount)))
        return from < until ? bytes.extracting(from..<until) : nil
    }
}
