import Model

/// Whether the member that a stream lives on has stopped following its set. Pure.
///
/// A secondary whose replication stands still answers as ever, and its oplog brings nothing more.
/// So what the primary says a majority has is kept until the stream has come there. When the member
/// has nothing more to tell and has not come there after so long, it is to be left. One that brings
/// entries is not judged: an archive that catches up is behind as well. A set that is idle says
/// nothing new, and so leaves nobody behind.
struct MemberLag {
    /// Seconds that a member may take to come to what a majority has.
    static let boundSeconds = 15.0
    /// Seconds between two changes, so that a set all of whose members lag is not run through.
    static let restSeconds = 60.0

    private var waited: (place: OpTime, since: MonotonicTime)?
    private var changed: MonotonicTime?

    /// The stream has begun on some member.
    mutating func began() { waited = nil }

    /// Called after each question to the member.
    ///
    /// - Parameters:
    ///   - received: where the stream is.
    ///   - committed: the newest that the primary has said a majority has, if anything.
    ///   - isIdle: the member had nothing more to tell.
    /// - Returns: where the member should have come, when another is to be read; that counts as a
    ///   change.
    mutating func unreached(
        by received: OpTime, of committed: OpTime?, isIdle: Bool, now: MonotonicTime
    ) -> OpTime? {
        guard let committed, committed > received else {
            waited = nil
            return nil
        }
        // What it has come to is followed by what is said now.
        if waited.map({ $0.place <= received }) ?? true { waited = (committed, now) }
        guard isIdle, let waited, now.seconds(since: waited.since) >= Self.boundSeconds,
            changed.map({ now.seconds(since: $0) >= Self.restSeconds }) ?? true
        else { return nil }
        changed = now
        return waited.place
    }
}

extension Connection {
    /// Another member that has come to `place`, a secondary if there is one; nil where none has.
    func member(at place: OpTime, besides old: Member) -> Member? {
        let members = members()
        let others = members.secondaries + [members.primary].compactMap { $0 }
        return others.first { other in
            // One that cannot be asked is none to move to.
            guard other != old, let hello = try? Questions.hello(self, other) else { return false }
            return min(hello.newest ?? .zero, hello.majority ?? .zero) >= place
        }
    }

    /// A member that was read, and is not any more.
    func passOver(_ member: Member, reason: String) {
        guard case .server(let id) = member else { return }
        let left = PassedMember(member: address(id), reason: reason)
        passedOver = (passedOver.filter { $0.member != left.member } + [left]).sorted {
            $0.member < $1.member
        }
    }
}
