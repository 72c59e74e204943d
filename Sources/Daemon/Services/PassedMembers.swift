import Model

/// Which members of a source are passed over, so that only what changes is told. Pure.
struct PassedMembers: Sendable {
    private var known: [PassedMember] = []

    /// What was not so before, and what is so no longer.
    struct Change: Equatable, Sendable {
        var begun: [PassedMember] = []
        var ended: [PassedMember] = []
    }

    /// Nil where nothing has changed.
    mutating func change(to members: [PassedMember]) -> Change? {
        guard members != known else { return nil }
        defer { known = members }
        let names = Set(members.map(\.member))
        // One that is passed over for another reason is told once, with that.
        return Change(
            begun: members.filter { !known.contains($0) },
            ended: known.filter { !names.contains($0.member) })
    }
}
