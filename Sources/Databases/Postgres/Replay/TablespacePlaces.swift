import Model

/// Where each tablespace of a copy will lie: its old place, or the one it was moved to.
struct TablespacePlaces: Sendable {
    struct Place: Hashable, Sendable {
        var oid: String
        var old: String
        var new: String
    }

    let places: [Place]

    init(_ files: [StoredFile], relocations: [String: String]) throws(TidemarkError) {
        var places: [Place] = []
        for file in files where file.role == .tablespace {
            guard let oid = file.origin, let old = file.location else { continue }
            places.append(Place(oid: oid, old: old, new: relocations[old] ?? old))
        }
        self.places = places
        for old in relocations.keys.sorted() where !places.contains(where: { $0.old == old }) {
            throw TidemarkError(
                .usage, "the base backup has no tablespace at \(old)",
                remedy: places.isEmpty
                    ? "leave out --tablespace"
                    : "it has: \(places.map(\.old).joined(separator: ", "))")
        }
        for place in places where !place.new.hasPrefix("/") {
            throw TidemarkError(
                .usage, "a tablespace needs an absolute path, not \(place.new)",
                remedy: "write --tablespace \(place.old)=/absolute/path")
        }
    }

    /// The map as the server reads it at the copy's first start.
    func map(over original: TablespaceMap) -> TablespaceMap {
        TablespaceMap(
            original.entries.map { entry in
                let place = places.first { $0.oid == entry.oid }
                return TablespaceMap.Entry(oid: entry.oid, path: place?.new ?? entry.path)
            })
    }

    /// Refuses places that hold something; with force, something else than a tablespace.
    func check(force: Bool) throws(TidemarkError) {
        for place in places {
            guard let names = try CopyFiles.names(place.new), !names.isEmpty else { continue }
            let what = "tablespace \(place.oid) would lie in \(place.new), which"
            guard force else {
                throw TidemarkError(
                    .destinationOccupied, "\(what) is not empty",
                    remedy: "move it with --tablespace \(place.old)=/empty/folder, or give "
                        + "--force to write over what is there")
            }
            // A server keeps nothing there but folders named for its version
            // (`TABLESPACE_VERSION_DIRECTORY`, relpath.h).
            guard let stranger = names.first(where: { !$0.hasPrefix("PG_") }) else { continue }
            throw TidemarkError(
                .destinationOccupied, "\(what) holds \(stranger) and is no tablespace",
                remedy: "move it with --tablespace \(place.old)=/empty/folder")
        }
    }
}
