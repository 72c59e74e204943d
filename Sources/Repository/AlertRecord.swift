package import Model

/// `alerts.json`: which alerts of a source have been raised and told, so that the next process tells
/// when they are over and does not tell them twice.
package struct AlertRecord: Hashable, Sendable, Codable {
    package struct Entry: Hashable, Sendable, Codable {
        package var event: String
        package var since: CommitTime

        package init(event: String, since: CommitTime) {
            self.event = event
            self.since = since
        }
    }

    package var raised: [Entry]

    package init(raised: [Entry]) { self.raised = raised }
}

extension ArchiveRepository {
    /// None where the document is missing or damaged: then a trouble that lasts is told again.
    package func alerts(_ source: SourceID) throws(TidemarkError) -> [AlertRecord.Entry] {
        do throws(TidemarkError) {
            return try document(AlertRecord.self, Layout.alerts(source))?.raised ?? []
        } catch let error where error.code == .archiveDamaged {
            return []
        }
    }

    /// Replaces it. Durable on return.
    package func putAlerts(
        _ source: SourceID, _ raised: [AlertRecord.Entry]
    ) throws(TidemarkError) {
        try store.put(
            Layout.alerts(source), JSONDocument.encode(AlertRecord(raised: raised)), .replace)
    }
}
