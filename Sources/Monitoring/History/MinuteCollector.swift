package import Repository

/// Gathers what is seen of a source into minutes. Pure.
package struct MinuteCollector: Sendable {
    private var current: HistoryPoint?
    /// What had been archived by this process when it was seen last.
    private var archived: UInt64?

    package init() {}

    /// Takes a look. Returns the minute before, once another one has begun.
    ///
    /// - Parameters:
    ///   - exposure: nil when nothing is proved.
    ///   - archivedBytes: since the program began.
    package mutating func add(
        minute: Int64, exposure: Double?, archivedBytes: UInt64
    ) -> HistoryPoint? {
        let bytes = archivedBytes - min(archivedBytes, archived ?? 0)
        archived = archivedBytes
        let seen = HistoryPoint(minute: minute, exposureSeconds: exposure, archivedBytes: bytes)
        guard let before = current, before.minute == minute else {
            defer { current = seen }
            return current
        }
        current?.merge(seen)
        return nil
    }

    /// What there is of the minute under way.
    package mutating func finish() -> HistoryPoint? {
        defer { current = nil }
        return current
    }
}
