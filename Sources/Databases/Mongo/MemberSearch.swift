import Model

/// Whom a deployment has, as far as it is reachable.
struct SetMembers: Hashable, Sendable {
    var primary: Connection.Member?
    var secondaries: [Connection.Member] = []
    var routers: [Connection.Member] = []
    /// One member is talked to, whatever it is.
    var isDirect: Bool
}

/// Whom to ask for what lies behind the archive's end, and whose answer counts. Pure.
///
/// A member that was synced a moment ago has a short oplog while the others hold everything. So
/// what one member lacks is lost only when the primary lacks it too, and then no other has it
/// either. Where the primary has another history than the archive it is the set's, whatever others
/// say. Through a router the shards' secondaries are asked first, and then their primaries.
struct MemberSearch: Hashable, Sendable {
    /// What one member says.
    enum Answer: Hashable, Sendable {
        case joins
        /// It no longer has what comes behind the archive's end.
        case truncated
        /// It has another history than the archive.
        case diverged
        /// It could not be asked.
        case silent
    }

    enum Step: Hashable, Sendable {
        case ask(Connection.Member)
        /// This one has everything.
        case goOn(Connection.Member)
        /// Nobody has; the answers of these count.
        case lost([Connection.Member])
        /// The primary has to be asked, and there is none.
        case wait
    }

    private let first: Connection.Member
    private let primary: Connection.Member?
    private let isAlone: Bool
    /// Who is asked when the primary lacks it too.
    private var others: [Connection.Member]
    private var truncated: [Connection.Member] = []

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
        if answer == .truncated { truncated.append(member) }
        let counts = member == primary || isAlone
        if counts, answer == .diverged { return .lost([member]) }
        if member == first, !counts { return primary.map { .ask($0) } ?? .wait }
        return others.isEmpty ? .lost(truncated) : .ask(others.removeFirst())
    }
}

extension MemberSearch {
    /// Asks one member after another until it is decided.
    ///
    /// - Parameters:
    ///   - ask: What a member says, and what was found there.
    ///   - drop: Lets go of what is not needed.
    /// - Returns: of the member that has everything, else of those whose answers count.
    static func run<Found>(
        _ connection: Connection, first: Connection.Member,
        ask: (Connection.Member) throws(TidemarkError) -> (answer: Answer, found: Found),
        drop: (Found) -> Void
    ) throws(TidemarkError) -> (hasAll: Bool, found: [Found]) {
        var search = MemberSearch(first: first, connection.members())
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
                return (true, [member].compactMap { found.removeValue(forKey: $0) })
            case .lost(let members):
                return (false, members.compactMap { found.removeValue(forKey: $0) })
            case .wait: throw noPrimary(connection.configuration)
            }
        }
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
