/// Which database a source is; taken from the scheme of its URL.
package enum DatabaseKind: String, Sendable, Codable, CaseIterable {
    case postgres, mongodb, redis

    /// Whether a database keeps its identity for life. A Redis has none: its replication id changes
    /// with every failover, and the descent of its timelines tells what belongs together.
    package var hasLastingIdentity: Bool { self != .redis }
}
