import Model

/// Whether the segments of one timeline follow each other without a hole. Pure.
struct ChainCheck {
    /// What reading one segment told.
    struct Link: Sendable {
        var key: ObjectKey
        var first: UInt64
        /// End of what it holds: of a sealed one its end, of an open one its last whole frame.
        var reach: UInt64
        /// From the footer; nil for an open segment and one that could not be read.
        var sha256: String?
        var previousSHA256: String?
        /// Times of the last commits in it, in the order of the stream; nil where none is known.
        var lastCommit: CommitTime?
    }

    /// Stretches without a hole, ascending.
    private(set) var runs: [PositionRange] = []
    /// What lies between them and no gap record explains.
    private(set) var holes: [PositionRange] = []
    private let links: [Link]
    private(set) var problems: [VerificationProblem] = []
    private let source: SourceID
    private let timeline: TimelineID
    private let gaps: [PositionRange]

    /// - Parameter links: ascending by `first`.
    init(
        _ source: SourceID, _ timeline: TimelineID, _ links: [Link], gaps: [Gap]
    ) {
        self.source = source
        self.timeline = timeline
        self.links = links
        self.gaps = gaps.filter { $0.timeline == timeline }.map(\.range)
            .sorted { $0.first < $1.first }
        var previous: Link?
        for link in links {
            add(link, after: previous)
            // An overlapping claim that ends earlier is harmless; the longer one goes on.
            if link.reach >= previous?.reach ?? 0 { previous = link }
        }
    }

    private mutating func add(_ link: Link, after previous: Link?) {
        guard let previous, let run = runs.last, link.first <= run.last else {
            if let run = runs.last, !isCovered(run.last, link.first) {
                holes.append(
                    PositionRange(timeline: timeline, first: run.last, last: link.first))
            }
            runs.append(PositionRange(timeline: timeline, first: link.first, last: link.reach))
            return
        }
        runs[runs.count - 1].last = max(run.last, link.reach)
        guard link.first == previous.reach, let hash = previous.sha256,
            let named = link.previousSHA256, named != hash
        else { return }
        problems.append(
            VerificationProblem(
                source: source, key: link.key.path, kind: .damaged,
                what: "\(link.key) was written after another segment than \(previous.key): "
                    + "its footer names SHA-256 \(named.prefix(16))…, not \(hash.prefix(16))…",
                remedy: "restore both files from a copy of the archive, or take a new base backup: "
                    + "tidemark backup \(source)"))
    }

    /// Whether gap records say that `[first, last)` was lost.
    func isCovered(_ first: UInt64, _ last: UInt64) -> Bool {
        var reached = first
        for gap in gaps where gap.first <= reached { reached = max(reached, gap.last) }
        return reached >= last
    }

    /// Whether one run holds all of `[first, last)`.
    func holds(_ first: UInt64, _ last: UInt64) -> Bool {
        runs.contains { $0.first <= first && last <= $0.last }
    }

    /// Time of the last commit that is there before a place; nil where none is known.
    func lastCommit(before place: UInt64) -> CommitTime? {
        links.last { $0.reach <= place && $0.lastCommit != nil }?.lastCommit
    }

    /// End of the newest run; nil when there is none.
    var end: UInt64? { runs.last?.last }
}
