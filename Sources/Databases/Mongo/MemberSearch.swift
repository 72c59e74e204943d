import Model

/// Whom a deployment has, as far as it is reachable.
struct SetMembers: Hashable, Sendable {
    var primary: Connection.Member?
    var secondaries: [Connection.Member] = []
    var routers: [Connection.Member] = []
    /// Addresses of those that did not answer.
    var silent: [String] = []
    /// One member is talked to, whatever it is.
    var isDirect: Bool
}

/// Whom to ask for what lies behind the archive's end, and whose answer counts. Pure.
///
/// A member that was synced a moment ago has a short oplog while the others hold everything. So
/// what one member lacks is lost only when the primary lacks it too, and then no other has it
/// either. Where the primary has another history than the archive it is the set's, whatever others
/// say. One that has not come to the archive's end is passed over, and waited for only when nobody
/// who could say more has come there either. Through a router the shards' secondaries are asked
/// first, and then their primaries.
struct MemberSearch: Sendable {
    /// What one member says.
    enum Answer: Hashable, Sendable {
        case joins
        /// It no longer has what comes behind the archive's end.
        case truncated
        /// It has another history than the archive.
        case diverged
        /// It has not come to the archive's end yet.
        case behind
        /// It could not be asked.
        case silent

        /// Why another member is read; nil where this one is.
        var reason: String? {
            switch self {
            case .joins: nil
            case .truncated: "it no longer has what comes behind the archive's end"
            case .diverged: "it has another history than the archive"
            case .behind: "it has not come to the archive's end yet"
            case .silent: "it could not be asked for what comes behind the archive's end"
            }
        }
    }

    enum Step: Hashable, Sendable {
        case ask(Connection.Member)
        /// This one has everything.
        case goOn(Connection.Member)
        /// Nobody has; the answers of these count.
        case lost([Connection.Member])
        /// The primary has to be asked, and there is none.
        case wait
        /// Whose answer counts has not come to the archive's end, and nobody else has all.
        case waitBehind
    }

    private let first: Connection.Member
    private let primary: Connection.Member?
    private let isAlone: Bool
    /// Who is asked when the primary lacks it too.
    private var others: [Connection.Member]
    private var truncated: [Connection.Member] = []
    /// What the one has said whose answer counts.
    private var decided: Answer?
    /// Who was asked and has not everything.
    private(set) var passed: [(member: Connection.Member, answer: Answer)] = []

    init(first: Connection.Member, _ members: SetMembers) {
        self.first = first
        if case .server(let id) = first, members.routers.contains(first) {
            primary = .primaries(id)
            others = []
            isAlone = false
        } else {
            primary = members.primary
            others = members.secondaries.filter { $0 != first }
            isAlone = members.isDirect
        }
    }

    /// Whether the answer of this member can be done without.
    func isOptional(_ member: Connection.Member) -> Bool { member != first && member != primary }

    /// What follows from an answer.
    mutating func take(_ answer: Answer, of member: Connection.Member) -> Step {
        if answer == .joins { return .goOn(member) }
        passed.append((member, answer))
        if answer == .truncated { truncated.append(member) }
        let counts = member == primary || isAlone
        if counts { decided = answer }
        if counts, answer == .diverged { return .lost([member]) }
        if member == first, let primary, !counts { return .ask(primary) }
        // Others can only say that they have everything: what is lost the primary says.
        if member == first, !counts, answer != .behind { return .wait }
        if !others.isEmpty { return .ask(others.removeFirst()) }
        switch decided {
        case .behind: return .waitBehind
        case nil: return passed.allSatisfy { $0.answer == .behind } ? .waitBehind : .wait
        default: return .lost(truncated)
        }
    }
}

extension MemberSearch {
    /// Asks one member after another until it is decided.
    ///
    /// - Parameters:
    ///   - ask: What a member says, and what was found there.
    ///   - drop: Lets go of what is not needed.
    ///   - behind: Thrown where it has to be waited until a member comes to the archive's end.
    /// - Returns: of the member that has everything, else of those whose answers count.
    static func run<Found>(
        _ connection: Connection, first: Connection.Member,
        ask: (Connection.Member) throws(TidemarkError) -> (answer: Answer, found: Found),
        drop: (Found) -> Void, behind: () -> TidemarkError
    ) throws(TidemarkError) -> (hasAll: Bool, found: [Found]) {
        let members = connection.members()
        var search = MemberSearch(first: first, members)
        var found: [Connection.Member: Found] = [:]
        defer { found.values.forEach(drop) }
        var step = Step.ask(first)
        while true {
            switch step {
            case .ask(let member):
                var answer = Answer.silent
                do throws(TidemarkError) {
                    let asked = try ask(member)
                    answer = asked.answer
                    found[member] = asked.found
                } catch {
                    // One of many that cannot be asked has not what the archive lacks either.
                    guard search.isOptional(member) else { throw error }
                }
                step = search.take(answer, of: member)
            case .goOn(let member):
                connection.passedOver = passedOver(search, members, connection)
                return (true, [member].compactMap { found.removeValue(forKey: $0) })
            case .lost(let members):
                return (false, members.compactMap { found.removeValue(forKey: $0) })
            case .wait: throw noPrimary(connection.configuration)
            case .waitBehind: throw behind()
            }
        }
    }

    private static func passedOver(
        _ search: MemberSearch, _ members: SetMembers, _ connection: Connection
    ) -> [PassedMember] {
        let asked = search.passed.compactMap { (member, answer) -> PassedMember? in
            guard case .server(let id) = member, let reason = answer.reason else { return nil }
            return PassedMember(member: connection.address(id), reason: reason)
        }
        let silent = members.silent.map { PassedMember(member: $0, reason: "it did not answer") }
        return (asked + silent).sorted { $0.member < $1.member }
    }

    private static func noPrimary(_ configuration: MongoConfiguration) -> TidemarkError {
        TidemarkError(
            .sourceUnreachable,
            "a member of MongoDB at \(configuration.place) does not have what comes behind the "
                + "archive's end, and there is no primary that could be asked for it",
            remedy: "Tidemark tries again by itself; check that the set has a primary, and that it "
                + "can be reached from here")
    }
}
