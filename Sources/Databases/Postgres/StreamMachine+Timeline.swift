import Model

// Which timelines led here, and where to go on.
extension StreamMachine {
    /// Timeline 1 has no history file.
    mutating func askHistory() throws(TidemarkError) -> Action {
        guard serverTimeline > 1 else { return try choose() }
        return askHistory(of: serverTimeline)
    }

    private mutating func askHistory(of timeline: UInt32) -> Action {
        step = .history(of: timeline)
        return .ask("TIMELINE_HISTORY \(timeline)")
    }

    mutating func gotHistory(
        _ of: UInt32, _ replies: [ConnectionReply]
    ) throws(TidemarkError) -> Action {
        if let failure = failure(replies) {
            // An ancestor's own file may be gone; the newest lists every ancestor anyway.
            guard of != serverTimeline, failure.state == "58P01" else {
                throw failure.error(context)
            }
        } else {
            let document = try document(of, rows(replies))
            if of == serverTimeline {
                history = try TimelineHistory(timeline: of, content: document.content)
                wanted = history.ancestors.map(\.timeline).filter { $0 > 1 }
            }
            documents.append(document)
        }
        if !wanted.isEmpty { return askHistory(of: wanted.removeLast()) }
        // Oldest first into the archive.
        documents.sort { $0.timeline < $1.timeline }
        return try choose()
    }

    private func document(
        _ timeline: UInt32, _ rows: ConnectionRows
    ) throws(TidemarkError) -> Document {
        let name = WalFileName.history(timeline: timeline).text(size: size)
        guard rows.text(0, 0) == name, let content = rows.bytes(0, 1) else {
            throw unexpected("no history file \(name)")
        }
        return Document(name: name, timeline: TimelineID(postgres: timeline), content: content)
    }

    private mutating func choose() throws(TidemarkError) -> Action {
        let end: UInt64?
        (timeline, start, end) = try chosen()
        reachesBack = end.map(isTooNear) ?? false
        if reachesBack { start -= size.bytes }
        return startCommand()
    }

    /// Whether so little of the archive would come again from `start` on that it proves nothing,
    /// and the server's timeline has a segment before it. A page holds more than a record's header.
    private func isTooNear(_ end: UInt64) -> Bool {
        let first = size.start(of: history.start(of: timeline) ?? 0)
        return end >= start && end - start < WalPageHeader.pageBytes && start > first
    }

    /// The timeline whose history holds the byte before `start`.
    var timelineBefore: TimelineID {
        guard start > 0, history.contains(timeline) else { return TimelineID(postgres: timeline) }
        return TimelineID(postgres: history.owner(of: start - 1))
    }

    /// Timeline and starting point, and where the archive ends there.
    private func chosen() throws(TidemarkError) -> (UInt32, UInt64, end: UInt64?) {
        guard let end = resume.end, !resume.skipsLostHistory else {
            let (timeline, start) = slotStart()
            return (timeline, start, nil)
        }
        let ends = [end] + resume.others
        // The newest timeline on the server's way that the archive knows.
        for candidate in [serverTimeline] + history.ancestors.map(\.timeline).reversed() {
            let name = TimelineID(postgres: candidate)
            guard let known = ends.first(where: { $0.timeline == name }) else { continue }
            let (timeline, start) = continued(candidate, known.ordinal)
            return (timeline, start, known.ordinal)
        }
        throw TidemarkError(
            .historyLost,
            "timeline \(serverTimeline) of \(context.place) does not come from timeline "
                + "\(end.timeline) of the archive",
            remedy: "if this is not meant, point the URL at the server that follows the archive")
    }

    /// Where the slot starts; without one to ask, where the server is now.
    private func slotStart() -> (UInt32, UInt64) {
        guard case .holds(let restart, let named) = slot else {
            return (serverTimeline, size.start(of: serverEnd))
        }
        let owner = named.flatMap { history.contains($0) ? $0 : nil } ?? history.owner(of: restart)
        return (owner, size.start(of: restart))
    }

    /// On from the archive's end on one of the server's timelines.
    ///
    /// When the archive got further on a timeline than the server that was promoted, the rest is a
    /// dead branch: the child begins with a copy of the segment that holds the switch point.
    private func continued(_ timeline: UInt32, _ end: UInt64) -> (UInt32, UInt64) {
        guard let fork = history.switchPoint(leaving: timeline), end > fork else {
            return (timeline, size.start(of: end))
        }
        let child = history.ancestors.first { $0.timeline > timeline }?.timeline
        return (child ?? serverTimeline, size.start(of: fork))
    }

    mutating func startCommand() -> Action {
        step = .start
        return .ask(
            "START_REPLICATION SLOT \(SQL.quoted(context.slot)) PHYSICAL \(LSN.text(start)) "
                + "TIMELINE \(timeline)")
    }

    mutating func started(_ replies: [ConnectionReply]) throws(TidemarkError) -> Action {
        if let failure = failure(replies) { return try refusedStart(failure) }
        if replies.contains(.copyBoth) {
            step = .starting
            return .stream
        }
        // Directly at the switch point: the answer is the next timeline.
        return try streamEnded(replies)
    }

    private mutating func refusedStart(
        _ failure: ConnectionFailure
    ) throws(TidemarkError) -> Action {
        let isGone = failure.state == "58P01"
        guard isGone || failure.isSlotInvalidated else { throw startError(failure) }
        if isGone, reachesBack {
            // Nothing that is needed: then the links between records have to prove it.
            reachesBack = false
            start += size.bytes
            return startCommand()
        }
        // Without its WAL our slot pins nothing useful: make it anew, then see what is there.
        let followsSlot = resume.end == nil || resume.skipsLostHistory
        if !hasRemadeSlot, followsSlot || !isGone { return dropSlot() }
        throw historyLost(failure)
    }

    private func historyLost(_ failure: ConnectionFailure) -> TidemarkError {
        let next: String =
            if case .holds(let restart, _) = slot { "; it goes on at \(LSN.text(restart))" } else {
                ""
            }
        let end = resume.end.map { LSN.text($0.ordinal) } ?? LSN.text(start)
        return TidemarkError(
            .historyLost,
            "Postgres at \(context.place) no longer has the WAL from \(end) on timeline "
                + "\(timeline)\(next): \(failure.message)",
            remedy: "a new base backup closes the gap; raise max_slot_wal_keep_size (-1: without "
                + "limit) so that the slot keeps WAL longer")
    }

    private func startError(_ failure: ConnectionFailure) -> TidemarkError {
        guard failure.state == "XX000" else { return failure.error(context) }
        let more = failure.detail.isEmpty ? "" : " (\(failure.detail))"
        return TidemarkError(
            .sourceIdentityChanged,
            "Postgres at \(context.place) cannot go on at \(LSN.text(start)) of timeline "
                + "\(timeline): \(failure.message)\(more)",
            remedy: "point the URL at the server that follows the archive")
    }
}

extension StreamMachine {
    private func removedBehind(_ failure: ConnectionFailure) -> TidemarkError {
        TidemarkError(
            .sourceUnreachable,
            "Postgres at \(context.place) removed old WAL while it was read: \(failure.message)",
            remedy: "Tidemark connects again and goes on at the archive's end")
    }
}

// MARK: the end of a timeline

extension StreamMachine {
    /// The replies after the stream's end: a row names the next timeline and where it begins; none
    /// means that the server shuts down.
    mutating func streamEnded(_ replies: [ConnectionReply]) throws(TidemarkError) -> Action {
        if let failure = failure(replies) {
            guard failure.state == "58P01" else { throw failure.error(context) }
            // Removed while we were reading: the slot was invalidated under us, or it was the
            // segment that nothing but our proof needs.
            throw reachesBack ? removedBehind(failure) : historyLost(failure)
        }
        for case .rows(let rows) in replies {
            guard let next: UInt32 = rows.number(0, 0), let point = rows.lsn(0, 1) else {
                throw unexpected("an unreadable end of timeline")
            }
            return try announced(next, at: point)
        }
        step = .ended
        return .finished
    }

    /// The server names the next timeline: ids may be skipped, and it may begin before the last
    /// byte we got (half a record is not taken over).
    private mutating func announced(
        _ next: UInt32, at point: UInt64
    ) throws(TidemarkError) -> Action {
        guard next > timeline else {
            throw unexpected("timeline \(next) to follow \(timeline)")
        }
        step = .switching(to: next, at: point)
        return .ask("TIMELINE_HISTORY \(next)")
    }

    mutating func gotNextHistory(
        _ next: UInt32, _ point: UInt64, _ replies: [ConnectionReply]
    ) throws(TidemarkError) -> Action {
        let document = try document(next, rows(replies))
        let history = try TimelineHistory(timeline: next, content: document.content)
        guard history.switchPoint(leaving: timeline) == point else {
            throw unexpected("a history of timeline \(next) that does not leave \(timeline) there")
        }
        documents.append(document)
        self.history = history
        timeline = next
        start = size.start(of: point)
        reachesBack = false
        step = .start
        return .timelineEnded(
            next: Position(timeline: TimelineID(postgres: next), ordinal: start))
    }
}
