import Mongo
import Platform

// What goes wrong on demand. Beside these: `truncate`, `rollBack`, `killCursors`, `cutConnections`,
// `stop` and `transaction` of the double, and the fields under "Faults" of its state.
extension MongoDouble {
    /// Somebody has thrown the set away and initiated another one of the same name: another
    /// identity, its elections count anew, and what was written is not there.
    ///
    /// - Parameter entries: that were written since.
    package func initiateAnew(_ entries: [[UInt8]]) {
        state.update { state in
            state.replicaSetID = state.replicaSetID.map { $0 &+ 100 }
            state.term = 1
            state.entries = []
            state.events = []
            state.first = 0
            for bytes in entries { state.add(bytes) }
            state.visible = state.entries.count
            state.cursors = [:]
        }
        cutConnections()
    }

    /// The newest entry was not on a majority when its primary fell; the next one wrote another in
    /// its place. Its bytes.
    @discardableResult
    package func rewriteLast() -> [UInt8] {
        let bytes = state.update { state -> [UInt8] in
            let place = state.visible - 1
            guard let entry = try? BSONDocument(state.entries[place].bytes) else {
                preconditionFailure("the double serves recorded entries")
            }
            let other = entry.setting("t", .int64((entry["t"]?.integer ?? 1) + 1)).bytes
            state.entries[place].bytes = other
            state.term += 1
            state.cursors = [:]
            return other
        }
        cutConnections()
        return bytes
    }

    /// The primary steps down. Cursors live on, as a server from 4.2 on has it; what only a primary
    /// may do is refused from now on, and so is one command of each of these names that is under
    /// way.
    package func stepDown(interrupting commands: [String] = [], by failure: StepdownFailure) {
        state.update { state in
            state.isPrimary = false
            for command in commands {
                state.nextFailures[command, default: []].append(failure.failure)
            }
        }
    }

    /// It is elected again: in a later term.
    package func stepUp() {
        state.update { state in
            state.isPrimary = true
            state.term += 1
        }
    }

    /// What a command is answered whose server steps down or ends meanwhile.
    package enum StepdownFailure: Int32, CaseIterable, Sendable {
        case notPrimary = 10107
        case interrupted = 11602
        case shutdown = 91

        var failure: MongoDoubleState.Failure {
            switch self {
            case .notPrimary: .init(rawValue, "NotWritablePrimary", "not master")
            case .interrupted:
                .init(
                    rawValue, "InterruptedDueToReplStateChange", "operation was interrupted")
            case .shutdown:
                .init(rawValue, "ShutdownInProgress", "The server is in quiesce mode")
            }
        }
    }

    /// The next command of this name fails like that, the one after it does not.
    package func failNext(_ command: String, _ failure: MongoDoubleState.Failure) {
        state.update { $0.nextFailures[command, default: []].append(failure) }
    }

    /// The next answer of at least so many bytes breaks off in its middle, and the connection with
    /// it.
    package func cutNextAnswer(from bytes: Int) { state.update { $0.cutsAnswersFrom = bytes } }

    /// So many of the newest entries are not on a majority.
    package func holdBack(_ count: Int) { state.update { $0.lag = count } }

    /// Answers to this command come so late, until `seconds` is 0.
    package func delay(_ command: String, _ seconds: Double) {
        state.update { $0.delays[command] = seconds > 0 ? seconds : nil }
    }

    /// The next `getMore` of a tailed cursor is told, without an error, that this was all.
    package func endCursor() { state.update { $0.endsCursor = true } }

    /// Records one more entry, larger than a document may be: the insertion of a document that is
    /// just as large as one may be. Its bytes.
    package func addLarge() -> [UInt8] {
        state.update { state in
            guard let last = state.entries.last, let model = try? BSONDocument(last.bytes) else {
                preconditionFailure("it is recorded behind an entry")
            }
            let content = BSONDocument([
                ("_id", .int32(1)),
                ("x", .binary([UInt8](repeating: 7, count: (16 << 20) - 22))),
            ])
            let entry = model.setting("op", .string("i")).setting("ns", .string("shop.large"))
                .setting("o", .document(content))
                .setting("ts", .timestamp(OpTime(ordinal: last.ts.ordinal + 1)))
            state.add(entry.bytes)
            return entry.bytes
        }
    }
}

extension MongoDoubleAnswers {
    /// Counts a command, lets happen what was to happen meanwhile, and gives the answer where it is
    /// a fault's.
    func fault(_ request: BSONDocument) -> BSONDocument? {
        let name = request.firstName ?? ""
        let database = request["$db"]?.string ?? "admin"
        let (failure, late) = state.update { state -> (MongoDoubleState.Failure?, Double?) in
            state.commands[name, default: 0] += 1
            state.contact.take(request)
            state.meanwhile[name]?(&state, request)
            var failure = state.failures[name] ?? state.failures["\(name) on \(database)"]
            if failure == nil, let next = state.nextFailures[name], !next.isEmpty {
                failure = state.nextFailures[name]?.removeFirst()
            }
            return (failure, state.delays[name])
        }
        if let late {
            _ = state.wait(seconds: late) { $0.delays[name] == nil ? true : nil as Bool? }
        }
        if let failure {
            return error(
                failure.code, failure.name, failure.message,
                labels: labels(failure.code, name, request))
        }
        return secondary(name, database, request) ?? ended(name, request)
    }

    /// Labels that a server from 4.4 on gives: whether a driver may repeat a write, and whether a
    /// change stream can be opened again.
    private func labels(_ code: Int32, _ name: String, _ request: BSONDocument) -> [String] {
        let passing: [Int32] = [6, 7, 89, 91, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436]
        guard passing.contains(code) || code == 43 else { return [] }
        if request["txnNumber"] != nil { return code == 43 ? [] : ["RetryableWriteError"] }
        let place = request["collection"]?.string ?? ""
        let isStream = name == "getMore" && place.hasPrefix("$cmd.aggregate")
        return isStream ? ["ResumableChangeStreamError"] : []
    }

    /// What a secondary refuses: writes, and reads that do not say that it may answer.
    private func secondary(
        _ name: String, _ database: String, _ request: BSONDocument
    ) -> BSONDocument? {
        let isOne = state.read { $0.setName != nil && !$0.isPrimary }
        guard isOne else { return nil }
        switch name {
        case "appendOplogNote", "insert", "update", "delete", "findAndModify", "create", "drop",
            "createIndexes", "dropIndexes", "collMod", "renameCollection", "dropDatabase",
            "applyOps":
            return error(10107, "NotWritablePrimary", "not master")
        case "find", "count", "aggregate", "listCollections", "listIndexes", "listDatabases":
            let mode = request["$readPreference"]?.document?["mode"]?.string ?? "primary"
            guard mode == "primary", database != "local" else { return nil }
            return error(13435, "NotPrimaryNoSecondaryOk", "not master and slaveOk=false")
        default: return nil
        }
    }

    /// Of a cursor that ends without an error.
    private func ended(_ name: String, _ request: BSONDocument) -> BSONDocument? {
        guard name == "getMore", let id = request["getMore"]?.integer else { return nil }
        let place = state.update { state -> Namespace? in
            guard state.endsCursor, let cursor = state.cursors[id] else { return nil }
            if case .documents = cursor { return nil }
            state.endsCursor = false
            state.cursors[id] = nil
            return state.places[id]
        }
        guard let place else { return nil }
        return batch([], place.description, id: 0, isFirst: false)
    }
}
