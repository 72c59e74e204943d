package import Model

extension ArchiveRepository {
    /// What is known of a source's destructive events. Nothing where the document is missing, of
    /// another format or damaged: it holds no data, only what a search found once.
    package func events(_ source: SourceID) throws(TidemarkError) -> EventRecord {
        do throws(TidemarkError) {
            let known = try document(EventRecord.self, Layout.events(source))
            guard let known, known.format == EventRecord.currentFormat else { return EventRecord() }
            return known
        } catch let error where error.code == .archiveDamaged {
            return EventRecord()
        }
    }

    /// Replaces it. Durable on return.
    package func putEvents(_ source: SourceID, _ record: EventRecord) throws(TidemarkError) {
        try store.put(Layout.events(source), JSONDocument.encode(record), .replace)
    }
}
