package import Mongo

/// How clients come to the double: their greetings, logins and sessions, and the time that passes
/// from server to server by them.
package struct MongoDoubleContact: Sendable {
    /// The first message of a connection.
    package struct Greeting: Sendable {
        package var request: BSONDocument
        /// `OP_QUERY`, as old drivers begin, and not `OP_MSG`.
        package var isQuery: Bool
    }

    /// Who may log in; with none of them nobody needs to.
    package var users: [MongoDoubleUser] = []
    /// Ends a login with one exchange less where the client asks for it, as servers from 4.4 on.
    package var skipsEmptyExchange = true
    /// Lets anybody in, and knows no password itself, as whoever has taken a server's place.
    package var isImpostor = false
    /// Answers a login that begins in the greeting (`speculativeAuthenticate`), as servers from 4.4
    /// on.
    package var answersEarly = true
    /// `logicalSessionTimeoutMinutes`; without it no driver begins a session.
    package var sessionMinutes: Int32? = 30
    /// Of each connection.
    package var greetings: [Greeting] = []
    /// Sessions that are open (`lsid`), and how many there were.
    package var sessions: Set<BSONDocument> = []
    package var sessionCount = 0
    /// The newest `$clusterTime` that a client brought.
    package var gossip = OpTime.zero

    mutating func take(_ request: BSONDocument) {
        let time = request["$clusterTime"]?.document?["clusterTime"]?.timestamp
        gossip = max(gossip, time ?? .zero)
        guard let session = request["lsid"]?.document else { return }
        if sessions.insert(session).inserted { sessionCount += 1 }
    }

    mutating func end(_ request: BSONDocument) {
        sessions.subtract((request["endSessions"]?.elements ?? []).compactMap(\.document))
    }

    func mechanisms(of user: String) -> [BSONValue]? {
        let isThere = users.contains { "\($0.database).\($0.name)" == user }
        return isThere ? [.string("SCRAM-SHA-256")] : nil
    }
}

extension MongoDoubleState {
    /// The newest time that this server knows of: its own, or one of another that a client told.
    var clusterTime: OpTime { max(newest, contact.gossip) }
}
