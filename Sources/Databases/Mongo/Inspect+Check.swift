import Model
import Platform

// `check`: every missing right and every setting that would cost history, with what mends it.
extension Inspect {
    /// Hours that the oplog should reach back: a night without anybody.
    private static let windowHours = 24.0

    func check() throws(TidemarkError) -> [Finding] {
        try asking { (connection) throws(TidemarkError) in
            let member = Connection.Member.server(try connection.select(.anyMember))
            let hello = try Questions.hello(connection, member)
            try Membership.check(hello, configuration)
            let version = try Questions.version(connection)
            let place = hello.isRouter ? "router of a cluster" : "replica set"
            var findings = [
                Finding(.ok, "MongoDB \(version), \(place) \(hello.setName ?? "")")
            ]
            let choice = try StreamChoice.of(
                configuration, connection, member, hello, archived: nil)
            if choice == .changes {
                return findings + (try changes(connection, member, hello, version))
            }
            let missing = try rights(connection, member)
            findings += missing + (try majorityReads(connection, member))
            if missing.allSatisfy({ $0.level == .ok }) {
                findings += try end(connection, hello, member)
            }
            findings += try window(connection, hello, member)
            findings += try noops(connection, member)
            findings += try status(connection, hello, member)
            return findings
        }
    }

    private func rights(
        _ connection: Connection, _ member: Connection.Member
    ) throws(TidemarkError) -> [Finding] {
        let oplog = BSONDocument([
            ("find", .string("oplog.rs")), ("limit", .int32(1)), ("singleBatch", .bool(true)),
        ])
        let missing = try refused(
            [("read local.oplog.rs", "local", oplog)] + Self.common, connection, member)
        let user = configuration.user.isEmpty ? "nobody" : configuration.user
        guard !missing.isEmpty else {
            return [Finding(.ok, "user \(user) may read the oplog and all data")]
        }
        return [
            Finding(
                .error, "user \(user) may not \(missing.joined(separator: ", nor "))",
                remedy: ConnectionFailure.grant(configuration))
        ]
    }

    /// Without them what is read could be rolled back, and the stream is refused.
    private func majorityReads(
        _ connection: Connection, _ member: Connection.Member
    ) throws(TidemarkError) -> [Finding] {
        let majority = BSONDocument([("level", .string("majority"))])
        let question = BSONDocument([
            ("find", .string("oplog.rs")), ("limit", .int32(1)), ("singleBatch", .bool(true)),
            ("readConcern", .document(majority)),
        ])
        guard
            case .failure(let failure) = try connection.answer(
                question, on: "local", at: member), failure.isMajorityMissing
        else { return [] }
        let error = failure.error(configuration, command: "find")
        return [Finding(.error, error.message, remedy: error.remedy)]
    }

    /// What is done, on which database, by which command.
    private typealias Question = (what: String, database: String, command: BSONDocument)

    private static var common: [Question] {
        [
            (
                "list all databases", "admin",
                BSONDocument([("listDatabases", .int32(1)), ("nameOnly", .bool(true))])
            ),
            (
                "read the set's configuration", "admin",
                BSONDocument([("replSetGetConfig", .int32(1))])
            ),
            (
                "read users and roles", "admin",
                BSONDocument([
                    ("find", .string("system.users")), ("limit", .int32(1)),
                    ("singleBatch", .bool(true)),
                ])
            ),
        ]
    }

    /// Those that a right is missing for.
    private func refused(
        _ questions: [Question], _ connection: Connection, _ member: Connection.Member
    ) throws(TidemarkError) -> [String] {
        var missing: [String] = []
        for (what, database, command) in questions {
            let answer = try connection.answer(command, on: database, at: member)
            if case .failure(let failure) = answer, failure.isMissingRight { missing.append(what) }
        }
        return missing
    }

    /// What the other mode needs, and what it does not carry.
    private func changes(
        _ connection: Connection, _ member: Connection.Member, _ hello: Hello, _ version: String
    ) throws(TidemarkError) -> [Finding] {
        let features = ChangeFeatures(version: version)
        guard features.canBeArchived else {
            return [
                Finding(
                    .error, "change streams of MongoDB \(version) cannot be gone on with exactly",
                    remedy: "write mode=oplog into the source's url; change streams need 4.2")
            ]
        }
        var missing = try refused(
            hello.isRouter ? [Self.common[0]] : Self.common, connection, member)
        let now = try Questions.newestCommitted(connection, hello, member, configuration)
        switch try ChangeStreamCursor.open(connection, member, .behind(now), features) {
        case .success(let cursor): cursor.close()
        case .failure(let failure) where failure.isMissingRight:
            missing.append("follow the changes of all databases")
        case .failure(let failure):
            throw failure.error(configuration, command: "$changeStream", rights: .changes)
        }
        let user = configuration.user.isEmpty ? "nobody" : configuration.user
        var findings = [
            missing.isEmpty
                ? Finding(.ok, "user \(user) may follow all changes and read all data")
                : Finding(
                    .error, "user \(user) may not \(missing.joined(separator: ", nor "))",
                    remedy: ConnectionFailure.grant(configuration, .changes))
        ]
        findings += try status(connection, hello, member)
        findings += ChangeTimeline.omissions(features).map { lack in
            Finding(
                .warning, lack,
                remedy: hello.isRouter
                    ? "archive each shard's replica set by its oplog to have them"
                    : "archive the oplog to have them: mode=oplog in the source's url, after "
                        + ConnectionFailure.grant(configuration))
        }
        return findings
    }

    private func end(
        _ connection: Connection, _ hello: Hello, _ member: Connection.Member
    ) throws(TidemarkError) -> [Finding] {
        do throws(TidemarkError) {
            try OplogEnd.check(connection, hello, member, configuration) { seconds in
                _ = Monitor(()).wait(seconds: seconds) { _ in Bool?.none }
            }
            return []
        } catch  where error.code == .sourceRefused {
            return [Finding(.error, error.message, remedy: error.remedy)]
        }
    }

    private func window(
        _ connection: Connection, _ hello: Hello, _ member: Connection.Member
    ) throws(TidemarkError) -> [Finding] {
        guard let oldest = try? Questions.oldest(connection, member)?["ts"]?.timestamp,
            let newest = hello.newest, newest >= oldest
        else { return [] }
        let hours = Double(newest.seconds - oldest.seconds) / 3600
        let message = "the oplog reaches back \(Int(hours)) h"
        if hours >= Self.windowHours { return [Finding(.ok, message)] }
        return [
            Finding(
                .warning, message + ": a longer outage of the archiver costs a gap",
                remedy:
                    "db.adminCommand({replSetResizeOplog: 1, minRetentionHours: 24}) on 4.4 and "
                    + "later, else a larger size in MB: db.adminCommand({replSetResizeOplog: 1, "
                    + "size: 16000}); a set that is younger needs nothing")
        ]
    }

    /// Without it nobody tells how long ago the members answered their primary.
    private func status(
        _ connection: Connection, _ hello: Hello, _ member: Connection.Member
    ) throws(TidemarkError) -> [Finding] {
        let question = BSONDocument([("replSetGetStatus", .int32(1))])
        guard hello.hasRivals,
            case .failure(let failure) = try connection.answer(question, at: member),
            failure.isMissingRight
        else { return [] }
        let user = configuration.user.isEmpty ? "nobody" : configuration.user
        return [
            Finding(
                .warning,
                "user \(user) may not ask for the set's status: an idle set is proved up to its "
                    + "last no-op only, one each 10 s",
                remedy: ConnectionFailure.grant(configuration))
        ]
    }

    /// Without them an idle set writes nothing that proves it idle; our own question does.
    private func noops(
        _ connection: Connection, _ member: Connection.Member
    ) throws(TidemarkError) -> [Finding] {
        let answer = try connection.answer(
            BSONDocument([("getParameter", .int32(1)), ("writePeriodicNoops", .int32(1))]),
            at: member)
        guard case .success(let reply) = answer, reply["writePeriodicNoops"]?.isTrue == false
        else { return [] }
        return [
            Finding(
                .warning, "periodic no-ops are off: an idle set's oplog stands still",
                remedy: "start mongod with `--setParameter writePeriodicNoops=true`, its default")
        ]
    }
}
