/// Which namespaces of an archive are replayed. The archive has all of them.
enum NamespacePolicy {
    enum Verdict: Hashable {
        case replay
        /// Definitions of views: only what they are in the end matters.
        case views
        /// Users and roles: only when they are asked for.
        case users
        /// The server's own bookkeeping.
        case skip
    }

    static func verdict(_ namespace: Namespace) -> Verdict {
        let name = namespace.collection
        // The last is a restore's own: what one server was being filled with says nothing of
        // another, and would be taken for the progress of the restore that writes it.
        if ["config", "local", RestoreProgress.place.database].contains(namespace.database)
            || namespace.database.begins(with: "__mdb_internal")
        {
            return .skip
        }
        if namespace.database == "admin" {
            if ["system.users", "system.roles"].contains(name) { return .users }
            // The feature compatibility and the keys of a cluster belong to their own servers.
            if name.begins(with: "system.") || name.begins(with: "temp") { return .skip }
        }
        if name == "system.views" { return .views }
        if name == "system.profile" || name.begins(with: "system.drop.") { return .skip }
        return .replay
    }

    /// Whether a base backup has it: what is replayed, and the versions of the server's own data,
    /// without which the official tools take no users (`admin.system.version`).
    static func isDumped(_ namespace: Namespace) -> Bool {
        switch verdict(namespace) {
        case .replay, .users: true
        // Views are told one by one.
        case .views: false
        case .skip: namespace == Namespace("admin", "system.version")
        }
    }

    fileprivate static let buckets = "system.buckets."

    /// The time series whose data lie here: `db.system.buckets.X` → `db.X`.
    static func timeSeries(of namespace: Namespace) -> Namespace? {
        guard namespace.collection.begins(with: buckets) else { return nil }
        let name = namespace.collection.utf8.dropFirst(buckets.utf8.count)
        return Namespace(namespace.database, String(Substring(name)))
    }

    /// Where the data of a time series lie.
    static func buckets(of namespace: Namespace) -> Namespace {
        Namespace(namespace.database, buckets + namespace.collection)
    }
}

extension NamespacePolicy {
    /// Whether a view's options are those of a time series over its buckets.
    static func isTimeSeries(_ view: BSONDocument) -> Bool {
        view["viewOn"]?.string?.begins(with: buckets) == true
    }
}
