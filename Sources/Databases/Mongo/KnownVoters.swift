/// Who votes in a set, kept for as long as the set's configuration stays what it was. Pure.
struct KnownVoters {
    /// What a configuration is known by: a primary's status tells it together with the heartbeats.
    ///
    /// A reconfiguration counts the version up. Before 4.4 two primaries of different terms could
    /// give the same one to two configurations, so the election and the member count as well.
    struct Reign: Hashable {
        /// Which member answers, by its number in the set.
        private let member: Int64
        private let term: Int64
        fileprivate let version: Int64
        fileprivate let configurationTerm: Int64?

        /// Nil where the status does not tell all of it: then nothing may be kept.
        init?(status: BSONDocument) {
            let members = (status["members"]?.elements ?? []).compactMap(\.document)
            guard let own = members.first(where: { $0["self"]?.isTrue == true }),
                let member = own["_id"]?.integer, let version = own["configVersion"]?.integer,
                let term = status["term"]?.integer
            else { return nil }
            self.member = member
            self.term = term
            self.version = version
            configurationTerm = own["configTerm"]?.integer
        }
    }

    private var reign: Reign?
    /// By their numbers in the set, as they were told last.
    private(set) var voters: Set<Int64> = []

    /// Those of this configuration; nil when it has to be asked for.
    func voters(_ now: Reign?) -> Set<Int64>? {
        guard let now, now == reign else { return nil }
        return voters
    }

    /// Takes a configuration, asked for behind the status that told `asked`. One that has become
    /// another meanwhile counts for this once.
    mutating func take(_ configuration: BSONDocument, in asked: Reign?) {
        let members = (configuration["members"]?.elements ?? []).compactMap(\.document)
        voters = Set(
            members.filter { $0["votes"]?.integer != 0 }.compactMap { $0["_id"]?.integer })
        let isThat =
            configuration["version"]?.integer == asked?.version
            && configuration["term"]?.integer == asked?.configurationTerm
        reign = isThat ? asked : nil
    }
}
