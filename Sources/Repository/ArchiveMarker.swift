package import Model

/// `tidemark.json` at the root: says that this is an archive, and of which format.
///
/// Without it nothing is read or written, so an unmounted directory is never taken for an empty
/// archive.
package struct ArchiveMarker: Sendable, Hashable, Codable {
    /// The only format this version reads and writes.
    package static let currentFormat = 1

    package var format: Int
    /// Random, 32 hex digits: tells copies of one archive from two archives.
    package var archive: String
    package var created: CommitTime
}
