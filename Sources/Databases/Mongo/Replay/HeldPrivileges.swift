import Model

/// What the user of a connection may do (`connectionStatus` with `showPrivileges`).
struct HeldPrivileges {
    private let privileges: [BSONDocument]

    /// Nil where nobody has logged in, since then everything is allowed or nothing, and where the
    /// server does not tell.
    init?(_ connection: Connection) throws(TidemarkError) {
        let question = BSONDocument([
            ("connectionStatus", .int32(1)), ("showPrivileges", .bool(true)),
        ])
        switch try connection.answer(question, at: .primary) {
        case .success(let reply):
            let told = reply["authInfo"]?.document
            guard told?["authenticatedUsers"]?.elements?.isEmpty == false,
                let all = told?["authenticatedUserPrivileges"]?.elements
            else { return nil }
            privileges = all.compactMap(\.document)
        case .failure(let failure) where failure.domain == .server: return nil
        case .failure(let failure):
            throw failure.targetError(connection.configuration, "the user's rights")
        }
    }

    /// - Parameter place: with an empty name of a collection, the database as a whole.
    func allow(_ action: String, on place: Namespace) -> Bool {
        privileges.contains { privilege in
            let actions = privilege["actions"]?.elements ?? []
            guard actions.contains(where: { $0.string == action || $0.string == "anyAction" }),
                let resource = privilege["resource"]?.document
            else { return false }
            if resource["anyResource"]?.isTrue == true { return true }
            guard let database = resource["db"]?.string,
                let collection = resource["collection"]?.string
            else { return false }
            return (database.isEmpty || place.isOf(database))
                && (collection.isEmpty || Namespace(place.database, collection) == place)
        }
    }
}
