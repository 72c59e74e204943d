import Model

/// How an oplog joins the archive: asks one member, and the others when it lacks the history.
struct OplogOpening {
    let connection: Connection
    let identity: String
    let machine: StreamMachine

    /// An open cursor, and where the archive goes on with it.
    struct Joined {
        var cursor: OplogCursor
        var start: StreamMachine.Start
        /// The entry at the start; nil where the next one is not known to follow it.
        var lastEntry: [UInt8]?
        /// The newest entry that a majority has.
        var majority: OpTime
    }

    /// What one member holds.
    private struct Found {
        var cursor: OplogCursor
        var source: StreamMachine.Source
        var finding: StreamMachine.Finding

        var answer: MemberSearch.Answer {
            switch finding {
            case .joins: .joins
            case .truncated: .truncated
            case .diverged: .diverged
            case .behind: .behind
            }
        }
    }

    func join(_ first: Connection.Member) throws(TidemarkError) -> Joined {
        let (_, all) = try MemberSearch.run(
            connection, first: first,
            ask: { (member) throws(TidemarkError) in
                let found = try ask(member)
                return (found.answer, found)
            },
            drop: { $0.cursor.close() }, behind: machine.behind)
        // Where history is lost, as much as possible of what came later is kept.
        let found = all.sorted { $0.source.oldest < $1.source.oldest }
        for other in found.dropFirst() { other.cursor.close() }
        guard let best = found.first else {
            preconditionFailure("the first member's answer counts unless another's does")
        }
        return try begin(best, try machine.settle(best.finding, best.source))
    }

    private func ask(_ member: Connection.Member) throws(TidemarkError) -> Found {
        let hello = try Questions.hello(connection, member)
        guard let majority = hello.majority ?? hello.newest else { throw empty() }
        var source = StreamMachine.Source(
            identity: identity, majority: majority, oldest: .zero)
        let cursor = try OplogCursor.open(connection, member, from: try machine.ask(source))
        guard let oldest = try Questions.oldest(connection, member)?["ts"]?.timestamp else {
            throw empty()
        }
        source.oldest = oldest
        return Found(
            cursor: cursor, source: source,
            finding: try machine.judge(try cursor.first(), source))
    }

    private func begin(
        _ found: Found, _ start: StreamMachine.Start
    ) throws(TidemarkError) -> Joined {
        var cursor = found.cursor
        let next = OpTime(ordinal: start.position.ordinal + (start.skipsFirst ? 0 : 1))
        // An oplog that was truncated is gone on with where it was found to begin.
        if let first = try cursor.first(), try StreamMachine.head(first).ts != next {
            cursor.close()
            cursor = try OplogCursor.open(connection, cursor.member, from: next)
        }
        cursor.isFirstKnown = start.skipsFirst
        return Joined(
            cursor: cursor, start: start, lastEntry: start.skipsFirst ? try cursor.first() : nil,
            majority: found.source.majority)
    }

    private func empty() -> TidemarkError {
        TidemarkError(
            .sourceUnreachable,
            "the oplog of MongoDB at \(connection.configuration.place) is empty",
            remedy: "Tidemark tries again by itself; a set that was just initiated needs a moment")
    }
}
