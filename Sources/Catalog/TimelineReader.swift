package import Model
package import Repository
import Segments

/// Reads the documents that say how timelines descend from each other.
package struct TimelineReader: Sendable {
    private let repository: ArchiveRepository
    private let replayer: any Replayer

    /// Such a document has a line for each ancestor.
    private static let limit = 16 << 20

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
            for (name, key) in documents { contents[name] = try content(key) }
            let ancestors = try replayer.ancestors(of: timeline, contents)
            if !ancestors.isEmpty { found[timeline] = ancestors }
        }
        return found
    }

    /// A stored document, decompressed. Throws `notFound`.
    package func content(_ key: ObjectKey) throws(TidemarkError) -> [UInt8] {
        guard let stored = try repository.bytes(key, limit: Self.limit) else {
            throw TidemarkError(.notFound, "\(key) is not in the archive")
        }
        guard let compression = Compression(suffixOf: key.name) else { return stored }
        var rest = stored
        let frames = FrameReader(key, compression) { (_) throws(TidemarkError) in
            defer { rest = [] }
            return rest
        }
        var content: [UInt8] = []
        while let item = try frames.next() {
            if item == .content { content += frames.content.array }
        }
        guard !frames.endsInsideFrame else {
            throw Damage.error(key, at: frames.boundary, "it ends inside a frame")
        }
        return content
    }
}
