/// `source.json`: which database an archive belongs to; written at first contact, then checked.
package struct SourceDescriptor: Hashable, Sendable, Codable {
    package var source: SourceID
    package var kind: DatabaseKind
    /// Postgres system identifier, replica set id, or the first replication id.
    package var identity: String
    /// Major version: `15`.
    package var majorVersion: String
    /// Postgres: `wal_segment_size` in bytes. Others: the rotation size.
    package var segmentBytes: UInt64
    package var created: CommitTime

    package init(
        source: SourceID, kind: DatabaseKind, identity: String, majorVersion: String,
        segmentBytes: UInt64, created: CommitTime
    ) {
        self.source = source
        self.kind = kind
        self.identity = identity
        self.majorVersion = majorVersion
        self.segmentBytes = segmentBytes
        self.created = created
    }

    enum CodingKeys: String, CodingKey {
        case source, kind, identity, created
        case majorVersion = "major_version"
        case segmentBytes = "segment_bytes"
    }
}
