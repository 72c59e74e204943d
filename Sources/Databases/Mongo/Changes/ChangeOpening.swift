import Model

/// How a change stream joins the archive: decides where it begins, and asks the server.
struct ChangeOpening {
    let configuration: MongoConfiguration
    let connection: Connection
    let member: Connection.Member
    let hello: Hello
    let version: String

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
        let now = try Questions.newestCommitted(connection, hello, member, configuration)
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
        behind time: OpTime, tail: ChangeTail = ChangeTail()
    ) throws(TidemarkError) -> Result<ChangeFeed, ConnectionFailure> {
        try ChangeFeed.open(
            connection, member, behind: time, tail: tail, features,
            isRouter: hello.isRouter)
    }

    private func begin(
        _ timeline: TimelineID, behind time: OpTime, _ now: OpTime
    ) throws(TidemarkError) -> Joined {
        switch try open(behind: time) {
        case .success(let feed):
            return Joined(
                feed: feed, start: Position(timeline: timeline, ordinal: time.ordinal),
                sourceEnd: max(now, time))
        case .failure(let failure): throw failed(failure)
        }
    }

    /// Behind the archive's end, once it is proved that the server has the archive's last
    /// event: one that was put back to an older copy has not. Where that event has left the oplog
    /// meanwhile, the server only has to have what comes behind the end.
    private func goOn(
        _ resume: ResumePoint, _ end: Position, _ now: OpTime, _ identity: String
    ) throws(TidemarkError) -> Joined {
        let time = OpTime(ordinal: end.ordinal)
        var tail = ChangeTail()
        if let archived = resume.tail { tail = try ArchivedTail.changes(archived) }
        tail.end(at: time)
        let proof = JoinProof(
            connection: connection, member: member, features: features, isRouter: hello.isRouter)
        switch try proof.check(tail) {
        case .joins: break
        case .missing(let why): return try diverged(resume, identity, now, why)
        case .tooOld(let why): return try truncated(resume, end, now, why)
        case .failed(let failure): throw failed(failure)
        }
        switch try open(behind: time, tail: tail) {
        case .success(let feed):
            return Joined(feed: feed, start: end, sourceEnd: max(now, time))
        case .failure(let failure) where failure.isEventTooOld:
            return try truncated(resume, end, now, failure.text)
        case .failure(let failure): throw failed(failure)
        }
    }

    /// The server's oplog no longer reaches back to the archive's end.
    private func truncated(
        _ resume: ResumePoint, _ end: Position, _ now: OpTime, _ why: String
    ) throws(TidemarkError) -> Joined {
        guard resume.skipsLostHistory else {
            throw Self.lost(configuration, OpTime(ordinal: end.ordinal), why)
        }
        return try salvage(end, now)
    }

    /// The server has come past the archive's last event, and does not have it.
    private func diverged(
        _ resume: ResumePoint, _ identity: String, _ now: OpTime, _ why: String
    ) throws(TidemarkError) -> Joined {
        guard resume.skipsLostHistory else { throw Self.missing(configuration, why) }
        return try begin(nextTimeline(identity, resume), behind: now, now)
    }

    /// The oldest moment that the server can still begin with, so that everything which is left
    /// is kept.
    private func salvage(_ end: Position, _ now: OpTime) throws(TidemarkError) -> Joined {
        var search = OldestMoment(lost: OpTime(ordinal: end.ordinal), there: now)
        while let moment = search.question {
            switch try open(behind: moment) {
            case .success(let feed):
                feed.close()
                search.answer(isThere: true)
            case .failure(let failure) where failure.isHistoryLost:
                search.answer(isThere: false)
            case .failure(let failure): throw failed(failure)
            }
        }
        return try begin(end.timeline, behind: search.there, now)
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
        failure.error(configuration, command: "$changeStream", rights: .changes)
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
