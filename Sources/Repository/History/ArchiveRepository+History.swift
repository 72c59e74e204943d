package import Model

extension ArchiveRepository {
    /// The points of a day; none when there is no file. Throws `archiveDamaged`.
    package func history(
        _ source: SourceID, day: Int64
    ) throws(TidemarkError) -> [HistoryPoint] {
        let key = Layout.history(source, day: day)
        guard let bytes = try bytes(key, limit: HistoryFile.byteLimit) else { return [] }
        return try HistoryFile.decode(bytes, day: day, of: key)
    }

    /// Replaces the file of a day whole.
    package func putHistory(
        _ source: SourceID, day: Int64, _ points: [HistoryPoint]
    ) throws(TidemarkError) {
        try store.put(Layout.history(source, day: day), HistoryFile.encode(points), .replace)
    }

    /// The days that have a file, ascending.
    package func historyDays(_ source: SourceID) throws(TidemarkError) -> [Int64] {
        try store.list(Layout.history(source)).compactMap { Layout.historyDay($0.key) }.sorted()
    }

    /// Removes everything of days before `day`, what was set aside of them too.
    package func expireHistory(
        _ source: SourceID, before day: Int64
    ) throws(TidemarkError) {
        let prefix = Layout.history(source)
        let oldest = Layout.history(source, day: day).path
        for info in try store.list(prefix)
        where info.key.path < oldest && Layout.isHistory(info.key) {
            try store.delete(info.key)
        }
    }

    /// Moves a file that cannot be read out of the way, as evidence. Returns its new place.
    package func setAsideHistory(
        _ source: SourceID, day: Int64
    ) throws(TidemarkError) -> ObjectKey {
        let key = Layout.history(source, day: day)
        let place = ObjectKey(key.path + ".damaged")
        if let content = try bytes(key, limit: 16 << 20) { try store.put(place, content, .replace) }
        try store.delete(key)
        return place
    }
}
