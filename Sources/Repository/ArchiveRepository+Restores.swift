package import Model

extension ArchiveRepository {
    /// How long the last restores of a source took; nil when none was measured.
    package func restoreMeasurement(
        _ source: SourceID
    ) throws(TidemarkError) -> RestoreMeasurement? {
        try document(RestoreMeasurement.self, Layout.restoreMeasurement(source))
    }

    /// Keeps what a restore has measured. Durable on return.
    package func noteRestore(
        _ source: SourceID, _ measured: RestoreMeasurement
    ) throws(TidemarkError) {
        var known: RestoreMeasurement?
        do throws(TidemarkError) {
            known = try restoreMeasurement(source)
        } catch let error where error.code == .archiveDamaged {
            // It holds no data; what was measured now makes a new one.
        }
        let whole = known?.followed(by: measured) ?? measured
        try store.put(Layout.restoreMeasurement(source), JSONDocument.encode(whole), .replace)
    }
}
