package import Model
package import Repository
import Segments

/// Reads the documents that say how timelines descend from each other.
package struct TimelineReader: Sendable {
    private let repository: ArchiveRepository
    private let replayer: any Replayer

    package init(_ repository: ArchiveRepository, _ replayer: any Replayer) {
        self.repository = repository
        self.replayer = replayer
    }

    /// Descent of every timeline that has segments or documents.
    package func ancestors(
        _ listing: StreamListing
    ) throws(TidemarkError) -> [TimelineID: [Ancestor]] {
        var found: [TimelineID: [Ancestor]] = [:]
        for (timeline, documents) in listing.documents {
            var contents: [String: [UInt8]] = [:]
            for (name, key) in documents where isKnown(name, timeline) {
                contents[name] = try content(key)
            }
            let ancestors = try replayer.ancestors(of: timeline, contents)
            if !ancestors.isEmpty { found[timeline] = ancestors }
        }
        return found
    }

    /// Strangers' files in the folder are none of ours; their names tell.
    private func isKnown(_ name: String, _ timeline: TimelineID) -> Bool {
        guard case .document(timeline, name) = replayer.request(name, segmentBytes: 16 << 20)
        else { return false }
        return true
    }

    /// A stored document, decompressed. Throws `notFound`.
    package func content(_ key: ObjectKey) throws(TidemarkError) -> [UInt8] {
        try TimelineDocument.read(repository.store, key)
    }
}
