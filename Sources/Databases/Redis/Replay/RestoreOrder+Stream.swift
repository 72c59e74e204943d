import Model

extension RestoreOrder {
    /// The server that the base backup is of.
    var release: ServerRelease { ServerRelease(backup.server.version) }

    /// Whether a server can load the base backup.
    func canBeRead(by server: ServerRelease) -> Bool {
        let rdb = backup.server.settings["rdb-version"].flatMap { Int($0) }
        return server.canRead(release, rdb: rdb ?? .max)
    }

    /// Throws `usage` where times are to be changed in a base backup that may hold values of an
    /// unknown kind: they could not be walked through, and that would show only amid the writing.
    func checkExpiry(_ change: ExpiryEdit.Change) throws(TidemarkError) {
        guard change != .none,
            let rdb = backup.server.settings["rdb-version"].flatMap({ Int($0) }),
            !RDBStep.knows(rdb)
        else { return }
        throw TidemarkError(
            .usage,
            "base backup \(backup.id) is of \(release), whose RDB (version \(rdb)) may hold values "
                + "that this version of Tidemark does not know, so no times in it can be changed",
            remedy: "restore with --expiry keep, or with a newer Tidemark")
    }

    /// What is said with every copy of one shard.
    var clusterNotes: [String] {
        guard backup.server.settings["cluster-enabled"] == "yes" else { return [] }
        return [
            "\(source) is one node of a cluster: only the slots that it had are here; restore "
                + "every shard to the same time. A key that was just being moved then is on "
                + "both, and the one of the shard that it was moved to counts"
        ]
    }

    /// The part of `count` bytes of the stream that is still wanted: from the next byte to the
    /// stop; nil when there is none. Throws `archiveIncomplete` for a hole.
    func wanted(
        _ count: Int, at first: UInt64, from next: UInt64
    ) throws(TidemarkError) -> Range<Int>? {
        if let stop, next >= stop.end { return nil }
        guard first <= next else {
            throw TidemarkError(
                .archiveIncomplete,
                "the archive of \(source) misses the bytes from \(next) to \(first)",
                remedy: "run `tidemark verify`, and take an earlier target")
        }
        let from = Int(min(next - first, UInt64(count)))
        let end = stop?.end ?? .max
        let until = Int(min(end > first ? end - first : 0, UInt64(count)))
        return from < until ? from..<until : nil
    }
}
