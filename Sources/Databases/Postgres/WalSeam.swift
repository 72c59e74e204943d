import Model

/// Joins a stream to what is archived before it.
///
/// Each WAL record names the start of the one before it, and a page says how much of an interrupted
/// record is still to come. So a scanner that has read what is archived before the stream's start
/// refuses the stream of a server that came there another way.
struct WalSeam {
    let archived: ArchivedBytes
    let segmentBytes: UInt64

    /// A record is shorter than this: further back nothing can be learnt.
    private static let longestRecord = UInt64(WalRecordHeader.maximumLength)

    /// A copy of `fresh` that stands at `start`, having read what the archive has before it, from
    /// the start of a segment in which a record begins. Nil when the archive does not have it.
    ///
    /// - Parameter timeline: whose history holds the byte before `start`.
    func scanner(
        at start: UInt64, after timeline: TimelineID,
        _ fresh: (UInt64) throws(TidemarkError) -> WalScanner
    ) throws(TidemarkError) -> WalScanner? {
        var found: WalScanner?
        var distance = segmentBytes
        while distance <= start, distance < 2 * Self.longestRecord {
            let first = start - distance
            guard let scanner = try scan(first, start, timeline, fresh(first)) else { break }
            found = scanner
            if scanner.knowsRecord { break }
            distance *= 2
        }
        return found
    }

    private func scan(
        _ first: UInt64, _ start: UInt64, _ timeline: TimelineID, _ fresh: WalScanner
    ) throws(TidemarkError) -> WalScanner? {
        var scanner = fresh
        // The record that crosses the border has its checksum computed over both sides.
        scanner.checks = .everyRecord
        var isSound = true
        let range = PositionRange(timeline: timeline, first: first, last: start)
        let isWhole = try archived.read(range) { (bytes) throws(TidemarkError) in
            guard isSound else { return }
            do throws(TidemarkError) {
                try scanner.feed(bytes, at: scanner.position) { (_) in }
            } catch {
                // What is damaged proves nothing; `verify` tells of it.
                isSound = false
            }
        }
        return isWhole && isSound ? scanner : nil
    }
}
