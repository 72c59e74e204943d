import Model

/// How a change stream joins the archive: decides where it begins, and asks the server.
struct ChangeOpening {
    let configuration: MongoConfiguration
    let connection: Connection
    var member: Connection.Member
    var hello: Hello
    let version: String
    /// See `ChangeGroups.limit`.
    var limit = ChangeGroups.limit
    /// What the archive's newest timeline lacks: it is not gone on with.
    var late: LateEvent?

    /// An open stream, and where the archive goes on with it.
    struct Joined {
        var feed: ChangeFeed
        var start: Position
        var sourceEnd: OpTime
    }

    func join(_ resume: ResumePoint, _ identity: String) throws(TidemarkError) -> Joined {
        if let descriptor = resume.descriptor, descriptor.identity != identity {
            throw StreamMachine.anotherSet(identity, descriptor, configuration.place)
        }
        guard features.canBeArchived else {
            throw TidemarkError(
                .sourceRefused,
                "MongoDB at \(configuration.place) is \(version), whose change streams cannot be "
                    + "gone on with exactly",
                remedy: "archive its oplog: mode=oplog in the source's url; change streams need 4.2"
            )
        }
        let now = try newest()
        guard let end = resume.end else {
            return try begin(ChangeTimeline.first(identity), behind: now, now)
        }
        guard ChangeTimeline.isOne(end.timeline) else {
            guard resume.skipsLostHistory else {
                throw TidemarkError(
                    .historyLost,
                    "the archive of \(configuration.source) holds an oplog, and now change streams "
                        + "are to be read",
                    remedy: "Tidemark goes on with a new timeline and takes a new base backup by "
                        + "itself; leave mode=changeStream out of the url to stay with the oplog")
            }
            return try begin(nextTimeline(identity, resume), behind: now, now)
        }
        return try goOn(resume, end, now, identity)
    }

    private var features: ChangeFeatures { ChangeFeatures(version: version) }

    private func open(
        _ timeline: TimelineID, behind time: OpTime, tail: ChangeTail = ChangeTail()
    ) throws(TidemarkError) -> Result<ChangeFeed, ConnectionFailure> {
        try ChangeFeed.open(
            timeline, connection, member, behind: time, tail: tail, features,
            isRouter: hello.isRouter, limit: limit)
    }

    private func begin(
        _ timeline: TimelineID, behind time: OpTime, _ now: OpTime
    ) throws(TidemarkError) -> Joined {
        switch try open(timeline, behind: time) {
        case .success(let feed):
            return Joined(
                feed: feed, start: Position(timeline: timeline, ordinal: time.ordinal),
                sourceEnd: max(now, time))
        case .failure(let failure): throw failed(failure)
        }
    }

    /// What one member says of the archive's end.
    private struct Found {
        enum Verdict {
            case joins(ChangeFeed)
            case tooOld(String)
            case missing(String)
            case behind
        }

        var opening: ChangeOpening
        var verdict: Verdict

        var answer: MemberSearch.Answer {
            switch verdict {
            case .joins: .joins
            case .tooOld: .truncated
            case .missing: .diverged
            case .behind: .behind
            }
        }

        func close() {
            if case .joins(let feed) = verdict { feed.close() }
        }
    }

    /// Behind the archive's end, once it is proved that the server has the archive's last
    /// event: one that was put back to an older copy has not. Where that event has left the oplog
    /// meanwhile, the server only has to have what comes behind the end. A member that does not is
    /// not the only one asked.
    private func goOn(
        _ resume: ResumePoint, _ end: Position, _ now: OpTime, _ identity: String
    ) throws(TidemarkError) -> Joined {
        if let late {
            guard resume.skipsLostHistory else { throw late.error(configuration) }
            return try beginAnew(nextTimeline(identity, resume))
        }
        let time = OpTime(ordinal: end.ordinal)
        var tail = ChangeTail()
        if let archived = resume.tail { tail = try ArchivedTail.changes(archived) }
        tail.end(at: time)
        let found = try search(end.timeline, behind: time, tail)
        guard let first = found.first else {
            preconditionFailure("the first member's answer counts unless another's does")
        }
        switch first.verdict {
        case .joins(let feed): return Joined(feed: feed, start: end, sourceEnd: max(now, time))
        case .missing(let why):
            guard resume.skipsLostHistory else { throw Self.missing(configuration, why) }
            return try first.opening.beginAnew(nextTimeline(identity, resume))
        case .tooOld(let why):
            guard resume.skipsLostHistory else { throw Self.lost(configuration, time, why) }
            return try salvage(end, found.map(\.opening))
        case .behind: throw StreamMachine.behind(time, configuration.place)
        }
    }

    /// A feed of another member in place of one whose member lacks what comes behind it.
    func findAgain(_ feed: ChangeFeed) throws(TidemarkError) -> ChangeFeed {
        switch try search(feed.timeline, behind: feed.received, feed.tail).first?.verdict {
        case .joins(let feed): return feed
        case .missing(let why): throw Self.missing(configuration, why)
        case .tooOld(let why): throw Self.lost(configuration, feed.received, why)
        case .behind: throw StreamMachine.behind(feed.received, configuration.place)
        case nil: preconditionFailure("the first member's answer counts unless another's does")
        }
    }

    /// The same opening through another member.
    func through(_ member: Connection.Member) throws(TidemarkError) -> ChangeOpening {
        var opening = self
        opening.member = member
        opening.hello = try Questions.hello(connection, member)
        return opening
    }

    /// Asks this member, and others when it lacks the history.
    private func search(
        _ timeline: TimelineID, behind time: OpTime, _ tail: ChangeTail
    ) throws(TidemarkError) -> [Found] {
        try MemberSearch.run(
            connection, first: member,
            ask: { (member) throws(TidemarkError) in
                let opening = member == self.member ? self : try through(member)
                let found = Found(
                    opening: opening,
                    verdict: try opening.verdict(timeline, behind: time, tail))
                return (found.answer, found)
            },
            drop: { $0.close() },
            behind: { StreamMachine.behind(time, configuration.place) }
        ).found
    }

    private func verdict(
        _ timeline: TimelineID, behind time: OpTime, _ tail: ChangeTail
    ) throws(TidemarkError) -> Found.Verdict {
        let proof = JoinProof(
            connection: connection, member: member, features: features, isRouter: hello.isRouter)
        switch try proof.check(tail) {
        case .joins: break
        case .missing(let why): return .missing(why)
        case .tooOld(let why): return .tooOld(why)
        case .behind: return .behind
        case .failed(let failure): throw failed(failure)
        }
        switch try open(timeline, behind: time, tail: tail) {
        case .success(let feed): return .joins(feed)
        case .failure(let failure) where failure.isEventTooOld: return .tooOld(failure.text)
        case .failure(let failure): throw failed(failure)
        }
    }

    /// Begins at the member's newest, with nothing before it.
    private func beginAnew(_ timeline: TimelineID) throws(TidemarkError) -> Joined {
        let now = try newest()
        return try begin(timeline, behind: now, now)
    }

    private func newest() throws(TidemarkError) -> OpTime {
        try Questions.newestCommitted(connection, hello, member, configuration)
    }

    /// Behind the oldest moment that one of these members can still begin with, so that everything
    /// which is left is kept.
    private func salvage(
        _ end: Position, _ members: [ChangeOpening]
    ) throws(TidemarkError) -> Joined {
        var best = (opening: self, moment: OpTime(ordinal: .max), now: OpTime.zero)
        for opening in members {
            let now = try opening.newest()
            let moment = try opening.oldestMoment(end, now)
            if moment < best.moment { best = (opening, moment, now) }
        }
        return try best.opening.begin(end.timeline, behind: best.moment, best.now)
    }

    private func oldestMoment(
        _ end: Position, _ now: OpTime
    ) throws(TidemarkError) -> OpTime {
        var search = OldestMoment(lost: OpTime(ordinal: end.ordinal), there: now)
        while let moment = search.question {
            switch try open(end.timeline, behind: moment) {
            case .success(let feed):
                feed.close()
                search.answer(isThere: true)
            case .failure(let failure) where failure.isHistoryLost:
                search.answer(isThere: false)
            case .failure(let failure): throw failed(failure)
            }
        }
        return search.there
    }

    private func nextTimeline(_ identity: String, _ resume: ResumePoint) -> TimelineID {
        let first = ChangeTimeline.first(identity)
        let all = ([resume.end] + resume.others).compactMap { $0?.timeline }
        guard all.contains(where: { ChangeTimeline.isOne($0) }) else { return first }
        let numbers = all.filter { ChangeTimeline.isOne($0) }.map { timeline in
            timeline.name.split(separator: ".").last.flatMap { Int($0) } ?? 1
        }
        return TimelineID("\(first.name).\((numbers.max() ?? 1) + 1)")
    }

    private func failed(_ failure: ConnectionFailure) -> TidemarkError {
        failure.changesError(configuration)
    }

    static func missing(_ configuration: MongoConfiguration, _ why: String) -> TidemarkError {
        TidemarkError(
            .historyLost,
            "MongoDB at \(configuration.place) does not have the event that the archive ends "
                + "with: \(why)",
            remedy: "it was put back to an older copy, or is another one; Tidemark goes on "
                + "with a new timeline and takes a new base backup by itself")
    }

    static func lost(
        _ configuration: MongoConfiguration, _ time: OpTime, _ why: String
    ) -> TidemarkError {
        TidemarkError(
            .historyLost,
            "MongoDB at \(configuration.place) no longer has the changes behind \(time), where the "
                + "archive ends: \(why)",
            remedy: "Tidemark records a gap and takes a new base backup by itself; make the oplog "
                + "larger: `db.adminCommand({replSetResizeOplog: 1, minRetentionHours: 24})`")
    }
}
