import CMongoC
import Model

/// An error of the server or of libmongoc: what it means and what to do about it.
struct ConnectionFailure: Error, Hashable, Sendable {
    /// Whose number `code` is (`mongoc_error_domain_t`).
    enum Domain: Hashable, Sendable { case server, network, selection, client, protocolVersion }

    let domain: Domain
    let code: Int
    let text: String
    let labels: [String]

    init(_ domain: Domain, code: Int, _ text: String, labels: [String] = []) {
        self.domain = domain
        self.code = code
        self.text = text
        self.labels = labels
    }

    init(_ error: bson_error_t, _ reply: BSONDocument) {
        labels = (reply["errorLabels"]?.elements ?? []).compactMap(\.string)
        text = reply["errmsg"]?.string ?? error.text
        code = reply["code"]?.integer.flatMap { Int(exactly: $0) } ?? Int(error.code)
        switch error.domain {
        case MONGOC_ERROR_SERVER.rawValue, MONGOC_ERROR_QUERY.rawValue,
            MONGOC_ERROR_WRITE_CONCERN.rawValue:
            domain = .server
        case MONGOC_ERROR_STREAM.rawValue: domain = .network
        case MONGOC_ERROR_SERVER_SELECTION.rawValue: domain = .selection
        case MONGOC_ERROR_PROTOCOL.rawValue: domain = .protocolVersion
        default: domain = .client
        }
    }

    var isMissingRight: Bool { domain == .server && code == 13 }
    var isUnknownCommand: Bool { domain == .server && code == 59 }

    /// Wrong password or user, whoever noticed.
    private var isAuthentication: Bool {
        (domain == .server && code == 18) || (domain == .client && code == 11)
            || text.contains("Authentication failed")
    }

    /// The server at the other end let us in, and could not show that it knows the password too
    /// (`_mongoc_scram_step3`).
    private var isImpostor: Bool { domain == .client && text.contains("verify server signature") }

    /// A cursor that is no longer there: the same question can be asked again at once.
    var isDeadCursor: Bool {
        // CursorNotFound, CappedPositionLost, QueryPlanKilled, CursorKilled, Interrupted.
        domain == .server && [43, 136, 175, 237, 11601].contains(code)
    }

    /// A change stream that can be opened again behind its last event.
    var isResumable: Bool {
        // Of lost history the next question tells.
        !isEventMissing && (isPassing || isHistoryLost)
    }

    /// Says nothing about the history: the same question can be asked again.
    var isPassing: Bool {
        isDeadCursor || labels.contains("ResumableChangeStreamError")
            // Stepdown, shutdown and the like, which servers before 4.4 do not label.
            || (domain == .server && [10107, 13435, 13436, 189, 91, 11600, 11602].contains(code))
    }

    /// The oplog behind a change stream no longer has what comes behind its token: history lost,
    /// fatal error, a token that this server has not made, OplogQueryMinTsMissing of an open
    /// stream.
    var isHistoryLost: Bool {
        domain == .server
            && ([286, 280, 136, 260, 326].contains(code)
                || text.lowercased().contains("resume token"))
    }

    /// ChangeStreamFatalError, InvalidResumeToken: the server has what comes behind an event, and
    /// not that event.
    var isEventMissing: Bool { domain == .server && [280, 260].contains(code) }

    /// ChangeStreamHistoryLost, OplogQueryMinTsMissing: what lies at the token or time may be older
    /// than the oplog.
    var isEventTooOld: Bool { domain == .server && [286, 326].contains(code) }

    /// SnapshotTooOld, SnapshotUnavailable: the history for a moment is gone.
    var isSnapshotLost: Bool { domain == .server && [239, 246].contains(code) }

    /// Of a cursor on a collection: it must be asked for again, perhaps under another name.
    var endsCursor: Bool { isDeadCursor || isSnapshotLost || isMissingCollection }

    /// NamespaceNotFound.
    var isMissingCollection: Bool { domain == .server && code == 26 }

    /// CannotInsertTimeseriesBucketsWithMixedSchema.
    var isMixedBuckets: Bool { domain == .server && code == 408 }

    /// `readConcern: majority` is switched off (up to 4.4).
    var isMajorityMissing: Bool { domain == .server && code == 148 }

    /// What a user of the archive needs.
    enum Rights {
        /// To read an oplog and all data.
        case oplog
        /// To read all data and their change streams.
        case changes

        var roles: String {
            switch self {
            case .oplog: "[\"backup\", \"clusterMonitor\"]"
            case .changes: "[\"backup\", \"clusterMonitor\", \"readAnyDatabase\"]"
            }
        }

        /// What the mode of a source's URL needs.
        init(_ configuration: MongoConfiguration) {
            self = configuration.mode == .changeStream ? .changes : .oplog
        }
    }

    /// The statement that gives a user all rights that archiving needs.
    static func grant(_ configuration: MongoConfiguration, _ rights: Rights? = nil) -> String {
        let rights = rights ?? Rights(configuration)
        let user = configuration.user.isEmpty ? "tidemark" : configuration.user
        return "db.getSiblingDB(\"admin\").grantRolesToUser(\"\(user)\", \(rights.roles))"
    }

    /// Of a change stream that could not be opened.
    func changesError(_ configuration: MongoConfiguration) -> TidemarkError {
        error(configuration, command: "$changeStream", rights: .changes)
    }

    /// - Parameters:
    ///   - command: that was answered like this.
    ///   - rights: nil for those that the mode needs.
    func error(
        _ configuration: MongoConfiguration, command: String, rights: Rights? = nil
    ) -> TidemarkError {
        let rights = rights ?? Rights(configuration)
        let place = "MongoDB at \(configuration.place)"
        if isImpostor {
            return TidemarkError(
                .sourceRefused,
                "\(place) does not know the password of user \(configuration.user) itself: it is "
                    + "not the server that it says it is",
                remedy: "see who listens at that address before anything else; a weak password can "
                    + "be guessed from the proof that was sent, so change it")
        }
        if isAuthentication {
            return TidemarkError(
                .sourceRefused,
                configuration.user.isEmpty
                    ? "\(place) wants a user and a password"
                    : "\(place) does not take the password of user \(configuration.user)",
                remedy: "correct user and password in the source's url; make the user by "
                    + "`db.getSiblingDB(\"admin\").createUser({user: \"tidemark\", pwd: "
                    + "passwordPrompt(), roles: \(rights.roles)})`")
        }
        if isMissingRight {
            return TidemarkError(
                .sourceRefused,
                configuration.user.isEmpty
                    ? "\(place) does not allow \(command) without a user"
                    : "user \(configuration.user) at \(place) may not use \(command)",
                remedy: configuration.user.isEmpty
                    ? "put a user into the source's url: mongodb://user:password@host/"
                    : "run `\(Self.grant(configuration, rights))`")
        }
        if isMajorityMissing {
            return TidemarkError(
                .sourceRefused,
                "\(place) has majority reads switched off, so what is read may be rolled back",
                remedy: "remove `enableMajorityReadConcern: false` from mongod.conf")
        }
        if domain == .protocolVersion || text.contains("wire version") {
            return TidemarkError(
                .sourceRefused, "\(place) speaks another protocol: \(text)",
                remedy: isServerNewer
                    ? "install a newer libmongoc-1.0, and a newer tidemark if there is one: this "
                        + "libmongoc does not know that server yet"
                    : "servers from 3.6 on can be archived")
        }
        return unreachable(place, command)
    }

    /// The same of a server that is being filled.
    ///
    /// - Parameter what: it was to take.
    func targetError(_ configuration: MongoConfiguration, _ what: String) -> TidemarkError {
        let place = "the server at \(configuration.place)"
        if isAuthentication || isImpostor { return error(configuration, command: what) }
        if isMissingRight {
            return TidemarkError(
                .sourceRefused,
                configuration.user.isEmpty
                    ? "\(place) wants a user for \(what)"
                    : "user \(configuration.user) at \(configuration.place) may not write \(what)",
                remedy: configuration.user.isEmpty
                    ? "put a user into the URL of --into: mongodb://user:password@host/"
                    : "run `db.getSiblingDB(\"admin\").grantRolesToUser(\"\(configuration.user)\", "
                        + "[\"restore\", \"readWriteAnyDatabase\", \"dbAdminAnyDatabase\"])`")
        }
        let isCutOff = domain == .network || domain == .selection
        return TidemarkError(
            isCutOff ? .sourceUnreachable : .failed,
            "\(place) did not take \(what): \(text) (\(code))",
            remedy: "once that is put right, give the same command again: it goes on where it "
                + "stopped")
    }

    /// libmongoc says "requires wire version" of a server that is newer than it, and "reports wire
    /// version" of one that is older (`mongoc_topology_description`).
    private var isServerNewer: Bool { text.contains("requires wire version") }

    private func unreachable(_ place: String, _ command: String) -> TidemarkError {
        let remedy: String
        switch (domain, code) {
        case (.selection, _):
            remedy =
                "check that the server runs, that its address and `replicaSet` in the source's "
                + "url are right, and that a firewall lets it through"
        case (.server, 10107), (.server, 13435), (.server, 13436), (.server, 189),
            (.server, 11600), (.server, 11602), (.server, 91):
            remedy =
                "Tidemark connects again by itself; the set is choosing a primary or a member "
                + "is going down"
        case (.server, 10334):
            remedy =
                "it tells of a change that is larger than a document may be; servers from 6.0.9 on "
                + "split such events, and an oplog has no such limit: mode=oplog"
        default: remedy = "Tidemark tries again by itself; see the server's log if this goes on"
        }
        return TidemarkError(
            .sourceUnreachable, "\(place) answered \(command) with: \(text) (\(code))",
            remedy: remedy)
    }
}
