import Model

/// An event that a change stream told of when everything up to a later time had been archived, so
/// that the archive lacks it in its place.
///
/// It is kept beside the timeline, before anything else is done: where the stream is opened anew
/// it begins behind the archive's end, and nobody would tell of that event again.
struct LateEvent: Hashable, Sendable {
    /// A document of the timeline: the event as it came.
    static let document = "late-event.bson"

    let timeline: TimelineID
    let bytes: [UInt8]

    init(_ bytes: [UInt8], on timeline: TimelineID) {
        self.bytes = bytes
        self.timeline = timeline
    }

    /// What the archive knows of it; nil where the timeline has none.
    init?(_ resume: ResumePoint) {
        guard let end = resume.end, let bytes = resume.documents[Self.document] else { return nil }
        self.init(bytes, on: end.timeline)
    }

    /// Nothing of the timeline is believed to be whole from the event's time on: the moment before.
    /// Its second, or its own clock where that stood earlier; nil where the event does not say it.
    var wholeUntil: CommitTime? {
        guard let event = try? BSONDocument(bytes),
            let time = event["clusterTime"]?.timestamp
        else { return nil }
        let second = Int64(time.seconds) * 1000
        return CommitTime(milliseconds: min(second, event["wallTime"]?.date ?? second) - 1)
    }

    private var time: OpTime? { (try? BSONDocument(bytes))?["clusterTime"]?.timestamp }
    private var timeText: String { time.map { "\($0)" } ?? "an earlier time" }

    /// What its timeline lacks. Of one that cannot be read nobody knows its time: then nothing is
    /// whole.
    var loss: LateLoss {
        LateLoss(
            wholeUntil: max(1, time?.ordinal ?? 1) - 1,
            wholeUntilTime: wholeUntil ?? CommitTime(microseconds: .min),
            reason: "the change stream told of an event of \(timeText) only after timeline "
                + "\(timeline) had been archived beyond it without the event")
    }

    func error(_ configuration: MongoConfiguration) -> TidemarkError {
        TidemarkError(
            .historyLost,
            "the change stream of MongoDB at \(configuration.place) went back and told of an event "
                + "of \(timeText), which was archived as whole without it",
            remedy: "Tidemark goes on with a new timeline and takes a new base backup by itself; "
                + "what was archived before that time stays restorable; if it comes again, archive "
                + "the oplog: mode=oplog")
    }
}
