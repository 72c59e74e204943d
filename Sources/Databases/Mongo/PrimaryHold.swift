import Model

/// Up to when a primary has surely been the only one. Pure.
///
/// A primary that is cut off from its set goes on believing in itself, for 10 s by default
/// (`electionTimeoutMillis`), while the others elect another one, which acknowledges writes that it
/// knows nothing of. Its newest entry then bounds nothing. So its clock counts for a proof only up
/// to a moment at which a majority still followed it. Two things tell such a moment, both by the
/// primary's own clock:
///
/// * The time of the newest entry that a majority has, if it is of the primary's own term
///   (`majorityWriteDate` of `hello`). On an idle set that is a no-op, each ten seconds.
/// * The members' answers to its heartbeats (`replSetGetStatus`, each two seconds). An answer
///   carries the member's term; one from a newer term unseats the primary. When it was sent is not
///   told, but heartbeats to one member follow each other: not before the answer before it had
///   come. So of each member the answer before the newest counts.
struct PrimaryHold {
    /// What one member last answered, in milliseconds since 1970 by the primary's clock.
    struct Heartbeat: Hashable {
        var member: Int64
        var answered: Int64
    }

    /// When the newest answer seen came, and the one before it.
    private var answers: [Int64: (newest: Int64, before: Int64?)] = [:]
    /// Whose heartbeats these are.
    private var primary: String?

    /// Takes what a primary says now.
    ///
    /// - Parameters:
    ///   - heartbeats: of the voting members that are up, without the primary itself; nil where it
    ///     may not be asked.
    ///   - voters: voting members of the set, the primary among them.
    /// - Returns: nil when nothing tells.
    mutating func held(
        _ hello: Hello, _ heartbeats: [Heartbeat]?, voters: Int
    ) -> CommitTime? {
        if primary != hello.me { answers = [:] }
        primary = hello.me
        note(heartbeats ?? [])
        // Its own vote is one of the majority.
        let needed = voters / 2
        let befores = answers.values.compactMap(\.before).sorted(by: >)
        var moments = [hello.committedInTerm]
        if needed > 0, befores.count >= needed {
            moments.append(befores[needed - 1])
        }
        return moments.compactMap { $0 }.max().map { CommitTime(milliseconds: $0) }
    }

    private mutating func note(_ heartbeats: [Heartbeat]) {
        var known: [Int64: (newest: Int64, before: Int64?)] = [:]
        for beat in heartbeats {
            guard let seen = answers[beat.member] else {
                known[beat.member] = (beat.answered, nil)
                continue
            }
            // A clock that was set back begins anew.
            known[beat.member] =
                beat.answered == seen.newest
                ? seen : (beat.answered, beat.answered > seen.newest ? seen.newest : nil)
        }
        answers = known
    }
}

/// The same behind a router, which tells no heartbeats of its shards' primaries. Pure.
///
/// Through it a shard's primary may be asked that is cut off, and whose newest entry bounds nothing
/// for as long as it believes in itself. But a change stream comes to a time only when a majority
/// of every shard has (`ChangeFeed`, the router's high-water marks). So the clock counts up to the
/// time to which the stream has come: whatever is not archived then has a later one. On a cluster
/// that is idle that is a no-op of each shard's primary, each ten seconds. A shard's primary gives
/// a write its own clock's second or a later one, so it is assumed that the clocks of the shards
/// agree, as the server itself assumes it.
enum RouterHold {
    /// Seconds that count as not held before a stream has come anywhere: no primary believes in
    /// itself for so long, by default 10 s (`electionTimeoutMillis`).
    private static let unknown = 3600.0

    /// Seconds before `now` up to which all shards' majorities are known to have been heard.
    ///
    /// - Parameter reached: the time that the stream has come to; nil when none has been open.
    static func age(_ reached: OpTime?, now: CommitTime) -> Double {
        guard let reached else { return unknown }
        return max(0, now.seconds(since: CommitTime(milliseconds: Int64(reached.seconds) * 1000)))
    }
}

extension Hello {
    /// The wall time of the newest entry that a majority has, when the primary wrote it in the term
    /// it is in now; in milliseconds since 1970.
    var committedInTerm: Int64? {
        guard let term = newestTerm, term == majorityTerm else { return nil }
        return majorityWall
    }

    /// Whether another member could be elected: those that never can are not among `hosts`.
    var hasRivals: Bool { !isRouter && hosts.count > 1 }
}
