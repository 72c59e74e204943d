import Model

/// Redis's stream carries neither times nor names: what the archive knows of them lies in the index
/// of its segments, made when the bytes arrived. So the bytes alone tell nothing here.
final class TimelessScan: HistoryScan {
    func take(
        _ bytes: RawSpan, at first: UInt64, _ found: (HistoryEntry) throws(TidemarkError) -> Void
    ) throws(TidemarkError) {}
}
