/// Which database a source is; taken from the scheme of its URL.
package enum DatabaseKind: String, Sendable, Codable, CaseIterable {
    case postgres, mongodb, redis
}
