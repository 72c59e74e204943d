import Model

/// Whether a server can be filled: not the archive's own source, empty or half filled by the same
/// restore, and not older than what the archive is of.
struct TargetCheck {
    private let connection: Connection
    private let order: RestoreOrder

    init(_ connection: Connection, _ order: RestoreOrder) {
        self.connection = connection
        self.order = order
    }

    private var place: String { connection.configuration.place }

    /// Writes nothing. Returns where an interrupted restore is to go on.
    func run() throws(TidemarkError) -> RestoreProgress? {
        try checkSource(try checkMember())
        try checkVersion()
        let found = try RestoreProgress(connection)
        // What a whole copy was, says nothing of what has been written into it since.
        if let found, found.serves(order), !(order.force && found.isComplete) { return found }
        if order.force { return nil }
        if let found {
            let again =
                found.ends.map { "restore to `--to optime:\($0)`" } ?? "give that command again"
            throw TidemarkError(
                .destinationOccupied,
                "the server at \(place) is \(found.isComplete ? "" : "half ")filled by another "
                    + "restore: of \(found.source), base backup \(found.backup), up to "
                    + "\(found.ends ?? found.position)",
                remedy: "\(again) to end it, name an empty server, or give --force to replace "
                    + "what is there")
        }
        let filled = try DumpedCollection.all(connection, .primary).filter {
            NamespacePolicy.verdict($0.namespace) == .replay
        }
        guard let first = filled.first else { return nil }
        let ended = try ConcludedRestore.look(connection)
        if let ended, ended.isUntouched, ended.progress.serves(order) { return ended.progress }
        throw occupied(first.namespace, ended)
    }

    /// What is known of the data: a restore that was interrupted leaves word of it.
    private func occupied(_ first: Namespace, _ ended: ConcludedRestore?) -> TidemarkError {
        let empty = "name an empty server, or give --force to replace what is there"
        guard let ended else {
            return TidemarkError(
                .destinationOccupied, "the server at \(place) has data: \(first)",
                remedy: empty + "; if this very restore was given before, it had ended, since an "
                    + "unfinished one leaves the database \(RestoreProgress.place.database), which "
                    + "is not there")
        }
        let progress = ended.progress
        return TidemarkError(
            .destinationOccupied,
            "the server at \(place) has data: a restore of \(progress.source) to "
                + "\(progress.ends ?? progress.position), base backup \(progress.backup), was "
                + "ended in it" + (ended.isUntouched ? "" : ", and it has been written to since"),
            remedy: progress.serves(order)
                ? "that is this very restore: nothing of it is left to do; to have that moment "
                    + "again without what was written since, " + empty
                : empty)
    }

    private func checkMember() throws(TidemarkError) -> Hello {
        let hello = try Questions.hello(connection, .anyMember)
        guard hello.isPrimary else {
            throw TidemarkError(
                .sourceRefused, "the server at \(place) takes no writes",
                remedy: hello.setName.map {
                    "name the whole set, so that its primary is found: add ?replicaSet=\($0) to "
                        + "the URL of --into"
                } ?? "name a primary or a standalone server")
        }
        return hello
    }

    /// Never over the archive's own source, with or without --force.
    private func checkSource(_ hello: Hello) throws(TidemarkError) {
        let check = try SourceCheck(order)
        let places = connection.configuration.places + hello.hosts
        guard let proof = check.proof(try identity(hello), places) else { return }
        throw order.overItsSource(place, proof)
    }

    /// A router whose configuration the user may not read does not tell its cluster.
    private func identity(_ hello: Hello) throws(TidemarkError) -> String {
        do throws(TidemarkError) {
            return try Questions.identity(connection, hello, .primary)
        } catch let error where hello.isRouter && error.code == .sourceRefused {
            return "mongos"
        }
    }

    private func checkVersion() throws(TidemarkError) {
        let version = try Questions.version(connection)
        guard Self.major(version) < Self.major(order.backup.server.version) else { return }
        throw TidemarkError(
            .toolMissing,
            "the server at \(place) is MongoDB \(version), the archive is of "
                + order.backup.server.version,
            remedy:
                "fill a server of the same or a newer version, or restore into a folder: --into "
                + "\(order.source)=DIR")
    }

    private static func major(_ version: String) -> Int {
        let parts = version.split(separator: ".").compactMap { Int($0) }
        return (parts.first ?? 0) * 100 + (parts.count > 1 ? parts[1] : 0)
    }
}
