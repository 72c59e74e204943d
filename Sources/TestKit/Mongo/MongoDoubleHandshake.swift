import Mongo
import Platform

/// Who is at the other end of one connection, and the login under way.
struct MongoDoubleLogin {
    /// The server has shown that it knows the password too; one empty message is to come.
    private enum Step {
        case proof(MongoDoubleScram, skipsEmpty: Bool)
        case empty(MongoDoubleUser)
    }

    private var step: Step?
    private var user: MongoDoubleUser?

    /// What servers answer to anybody.
    private static let open: Set<String> = [
        "hello", "isMaster", "ismaster", "ping", "buildInfo",
    ]

    /// The answer to a command of the login, or to one that wants a login first; nil for all
    /// others.
    mutating func answer(_ request: BSONDocument, _ answers: MongoDoubleAnswers) -> BSONDocument? {
        let name = request.firstName ?? ""
        switch name {
        case "saslStart":
            let database = request["$db"]?.string ?? ""
            return start(request, on: database, answers) ?? Self.failed(request, answers)
        case "saslContinue": return go(on: request, answers) ?? Self.failed(request, answers)
        default: break
        }
        let isOpen = Self.open.contains(name) || answers.state.read { $0.contact.users.isEmpty }
        if isOpen || user != nil { return nil }
        return answers.error(13, "Unauthorized", "command \(name) requires authentication")
    }

    /// What a greeting brings with it beside the server's own facts.
    mutating func greet(
        _ request: BSONDocument, isQuery: Bool, _ answer: BSONDocument,
        _ answers: MongoDoubleAnswers
    ) -> BSONDocument {
        guard answer["ok"]?.isTrue == true else { return answer }
        var fields = answer.fields.map { ($0.name, $0.value) }.filter { $0.0 != "ok" }
        if request["client"] != nil {
            answers.state.update {
                $0.contact.greetings.append(.init(request: request, isQuery: isQuery))
            }
        }
        if let user = request["saslSupportedMechs"]?.string,
            let mechanisms = answers.state.read({ $0.contact.mechanisms(of: user) })
        {
            fields.append(("saslSupportedMechs", .array(mechanisms)))
        }
        // One that fails is passed over: the client then begins by itself.
        if answers.state.read({ $0.contact.answersEarly }),
            let early = request["speculativeAuthenticate"]?.document,
            let begun = start(early, on: early["db"]?.string ?? "", answers)
        {
            fields.append(("speculativeAuthenticate", .document(begun.without(["ok"]))))
        }
        return answers.ok(fields)
    }

    private mutating func start(
        _ request: BSONDocument, on database: String, _ answers: MongoDoubleAnswers
    ) -> BSONDocument? {
        step = nil
        guard request["mechanism"]?.string == "SCRAM-SHA-256",
            let first = request["payload"]?.binary?.content
        else { return nil }
        let contact = answers.state.read { $0.contact }
        let nonce = (0..<6).map { _ in String(UInt32.random(in: .min ... .max), radix: 36) }
            .joined()
        guard
            let scram = MongoDoubleScram(
                Array(first), nonce: nonce, users: contact.users, on: database)
        else { return nil }
        let asks = request["options"]?.document?["skipEmptyExchange"]?.isTrue == true
        step = .proof(scram, skipsEmpty: asks && contact.skipsEmptyExchange)
        return Self.message(scram.greeting, isDone: false, answers)
    }

    private mutating func go(
        on request: BSONDocument, _ answers: MongoDoubleAnswers
    ) -> BSONDocument? {
        defer { if case .proof = step { step = nil } }
        guard let payload = request["payload"]?.binary?.content else { return nil }
        switch step {
        case .proof(let scram, let skipsEmpty):
            let isImpostor = answers.state.read { $0.contact.isImpostor }
            let proved = isImpostor ? scram.forged : scram.answer(Array(payload))
            guard let final = proved else { return nil }
            if skipsEmpty { user = scram.user }
            step = skipsEmpty ? nil : .empty(scram.user)
            return Self.message(final, isDone: skipsEmpty, answers)
        case .empty(let known):
            step = nil
            guard payload.isEmpty else { return nil }
            user = known
            return Self.message([], isDone: true, answers)
        case nil: return nil
        }
    }

    private static func message(
        _ payload: [UInt8], isDone: Bool, _ answers: MongoDoubleAnswers
    ) -> BSONDocument {
        answers.ok([
            ("conversationId", .int32(1)), ("done", .bool(isDone)), ("payload", .binary(payload)),
        ])
    }

    /// A user, a password, a database and a mechanism that are wrong are told alike.
    private static func failed(
        _ request: BSONDocument, _ answers: MongoDoubleAnswers
    ) -> BSONDocument {
        let mechanism = request["mechanism"]?.string
        if let mechanism, !mechanism.hasPrefix("SCRAM-SHA-") {
            return answers.error(
                2, "BadValue",
                "Received authentication for mechanism \(mechanism) which is unknown or not enabled"
            )
        }
        return answers.error(18, "AuthenticationFailed", "Authentication failed.")
    }
}

extension MongoDoubleAnswers {
    /// `hello`, and `isMaster` by its names, whose answer differs in one word.
    func hello(_ name: String) -> BSONDocument {
        let state = state.read { $0 }
        let primary = name == "hello" ? "isWritablePrimary" : "ismaster"
        let isPrimary = state.setName == nil || state.isPrimary
        var fields: [(String, BSONValue)] = []
        if let setName = state.setName {
            let hosts = ([state.port] + state.others).map { BSONValue.string("127.0.0.1:\($0)") }
            fields += [
                ("hosts", .array(hosts)), ("setName", .string(setName)),
                ("setVersion", .int32(state.configVersion)), (primary, .bool(isPrimary)),
                ("secondary", .bool(!isPrimary)), ("me", .string("127.0.0.1:\(state.port)")),
            ]
            if let place = isPrimary ? state.port : state.primary {
                fields.append(("primary", .string("127.0.0.1:\(place)")))
            }
            if isPrimary { fields.append(("electionId", .objectID(Self.election(state.term)))) }
            fields.append(("lastWrite", .document(Self.lastWrite(state))))
        } else {
            fields.append((primary, .bool(true)))
            if state.isRouter { fields.append(("msg", .string("isdbgrid"))) }
        }
        fields += [
            ("maxBsonObjectSize", .int32(16_777_216)),
            ("maxMessageSizeBytes", .int32(48_000_000)), ("maxWriteBatchSize", .int32(100_000)),
            ("localTime", .date(milliseconds: state.clock ?? Self.now)),
        ]
        if let minutes = state.contact.sessionMinutes {
            fields.append(("logicalSessionTimeoutMinutes", .int32(minutes)))
        }
        return ok(
            fields + [
                ("minWireVersion", .int32(state.minWireVersion)),
                ("maxWireVersion", .int32(state.wireVersion)), ("readOnly", .bool(false)),
            ])
    }

    /// What a server calls an election by: the term behind four bytes that are the same for all.
    private static func election(_ term: Int64) -> [UInt8] {
        [0x7F, 0xFF, 0xFF, 0xFF] + (0..<8).map { UInt8(truncatingIfNeeded: term >> (56 - 8 * $0)) }
    }

    private static func lastWrite(_ state: MongoDoubleState) -> BSONDocument {
        let opTime = { (ts: OpTime) -> BSONValue in
            .document(BSONDocument([("ts", .timestamp(ts)), ("t", .int64(1))]))
        }
        let date = { (ts: OpTime) -> BSONValue in .date(milliseconds: Int64(ts.seconds) * 1000) }
        return BSONDocument([
            ("opTime", opTime(state.newest)), ("lastWriteDate", date(state.newest)),
            ("majorityOpTime", opTime(state.majority)),
            ("majorityWriteDate", date(state.majority)),
        ])
    }

    /// The answer with the times that every answer of a set or a router brings, in the places where
    /// a server puts them. Without logins nobody signs them.
    func timed(_ answer: BSONDocument, _ request: BSONDocument) -> [UInt8] {
        let isMajority = request["readConcern"]?.document?["level"]?.string == "majority"
        let times = state.read { state -> (OpTime, OpTime)? in
            if state.setName == nil, !state.isRouter { return nil }
            return (isMajority ? state.majority : state.newest, state.clusterTime)
        }
        guard let (operation, cluster) = times else { return answer.bytes }
        let signature = BSONDocument([
            ("hash", .binary([UInt8](repeating: 0, count: 20))), ("keyId", .int64(0)),
        ])
        let gossip = BSONDocument([
            ("clusterTime", .timestamp(cluster)), ("signature", .document(signature)),
        ])
        let own = BSONDocument([("operationTime", .timestamp(operation))])
        let clusterTime = BSONDocument([("$clusterTime", .document(gossip))])
        if answer["ok"]?.isTrue != true { return Self.joined([own, answer, clusterTime]) }
        let isTold = answer["operationTime"] != nil
        return Self.joined([answer, clusterTime] + (isTold ? [] : [own]))
    }

    /// One document with the fields of all. Not taken apart: an answer may be of many megabytes.
    private static func joined(_ documents: [BSONDocument]) -> [UInt8] {
        let fields = documents.flatMap { $0.bytes.dropFirst(4).dropLast() }
        let length = UInt32(fields.count + 5)
        return (0..<4).map { UInt8(truncatingIfNeeded: length >> ($0 * 8)) } + fields + [0]
    }
}
