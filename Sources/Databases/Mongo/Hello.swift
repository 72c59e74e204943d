import Model

/// What a member says of itself (`hello`), as far as an archive needs it.
struct Hello: Hashable, Sendable {
    var setName: String?
    var isPrimary: Bool
    var isSecondary: Bool
    /// A router of a sharded cluster.
    var isRouter: Bool
    var isArbiter: Bool
    /// Of a set that nobody has initiated yet.
    var isUninitiated: Bool
    /// What the set calls its members.
    var hosts: [String]
    var maxWireVersion: Int64
    /// The newest entry of this member, and the newest that a majority has.
    var newest: OpTime?
    var majority: OpTime?
    /// The elections that these two were written after.
    var newestTerm: Int64?
    var majorityTerm: Int64?
    /// The primary's clock in the latter entry, in milliseconds since 1970.
    var majorityWall: Int64?
    /// The member's clock.
    var time: CommitTime?
    /// Its own address.
    var me: String?

    init(_ reply: BSONDocument) {
        setName = reply["setName"]?.string
        isPrimary =
            reply["isWritablePrimary"]?.isTrue == true || reply["ismaster"]?.isTrue == true
        isSecondary = reply["secondary"]?.isTrue == true
        isRouter = reply["msg"]?.string == "isdbgrid"
        isArbiter = reply["arbiterOnly"]?.isTrue == true
        isUninitiated = setName == nil && reply["isreplicaset"]?.isTrue == true
        hosts = (reply["hosts"]?.elements ?? []).compactMap(\.string)
        maxWireVersion = reply["maxWireVersion"]?.integer ?? 0
        let last = reply["lastWrite"]?.document
        newest = last?["opTime"]?.document?["ts"]?.timestamp
        majority = last?["majorityOpTime"]?.document?["ts"]?.timestamp
        newestTerm = last?["opTime"]?.document?["t"]?.integer
        majorityTerm = last?["majorityOpTime"]?.document?["t"]?.integer
        majorityWall = last?["majorityWriteDate"]?.date
        time = reply["localTime"]?.date.map { CommitTime(milliseconds: $0) }
        me = reply["me"]?.string
    }
}
