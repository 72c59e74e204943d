import Model

/// What a restore by force drops of a live server, so that the copy is the archive's and nothing
/// else: every database of clients, and of `admin` what a restore would write there.
///
/// What the server keeps for itself stays (`local`, `config`, `admin.system.*`), and so do its
/// users and roles: whoever fills it is one of them. They are told apart at the end (`HeldUsers`).
struct EmptiedServer {
    /// Databases that go whole, by name; without the restore's own.
    private(set) var databases: [String] = []
    /// Collections and views of `admin`.
    private(set) var collections: [Namespace] = []
    private var isMarked = false
    private let connection: Connection

    /// Looks, and writes nothing.
    init(_ connection: Connection) throws(TidemarkError) {
        self.connection = connection
        let reply = try connection.run(
            BSONDocument([("listDatabases", .int32(1)), ("nameOnly", .bool(true))]), at: .primary)
        let names = (reply["databases"]?.elements ?? []).compactMap { $0.document?["name"]?.string }
        isMarked = names.contains(RestoreProgress.place.database)
        databases = names.sorted().filter(Self.isOfClients)
        guard names.contains("admin") else { return }
        var found: [Namespace] = []
        try connection.each(
            BSONDocument([("listCollections", .int32(1))]), on: "admin", at: .primary
        ) { description in
            guard let name = description["name"]?.string else { return }
            let namespace = Namespace("admin", name)
            if NamespacePolicy.verdict(namespace) == .replay { found.append(namespace) }
        }
        collections = found.sorted()
    }

    /// Throws unless all of it may be dropped: a user who sees a database need not be allowed to,
    /// and what went before it would be gone for nothing.
    func checkRights() throws(TidemarkError) {
        guard let held = try HeldPrivileges(connection) else { return }
        let kept =
            databases.filter { !held.allow("dropDatabase", on: Namespace($0, "")) }
            + collections.filter { !held.allow("dropCollection", on: $0) }.map(\.description)
        guard let first = kept.first else { return }
        throw TidemarkError(
            .sourceRefused,
            "the user at \(connection.configuration.place) may not drop \(first), which the server "
                + "holds; nothing was dropped",
            remedy: "restore as a user with the roles `restore` and `dbAdminAnyDatabase`, or name "
                + "an empty server")
    }

    /// Any name will do: of a database of clients something is replayed.
    private static func isOfClients(_ name: String) -> Bool {
        name != "admin" && NamespacePolicy.verdict(Namespace(name, "any")) == .replay
    }

    /// The word of an earlier restore goes first: interrupted behind that, what is left is data of
    /// nobody's, which is refused, or dropped by force.
    func run() throws(TidemarkError) {
        if isMarked { try RestoreProgress.remove(connection) }
        for name in databases {
            try connection.write(
                BSONDocument([("dropDatabase", .int32(1))]), on: name, tolerating: [])
        }
        for namespace in collections {
            // NamespaceNotFound: a bucket goes with its time series.
            try connection.write(
                BSONDocument([("drop", .string(namespace.collection))]), on: namespace.database,
                tolerating: [26])
        }
    }

    /// What goes, for whoever reads the plan; nil where there is nothing.
    var note: String? {
        let what = databases.map { "database \($0)" } + collections.map(\.description)
        guard !what.isEmpty else { return nil }
        let rest = what.count - Self.namedLimit
        return "--force drops what the server holds: "
            + what.prefix(Self.namedLimit).joined(separator: ", ")
            + (rest > 0 ? " and \(rest) more" : "")
    }

    private static let namedLimit = 8
}
