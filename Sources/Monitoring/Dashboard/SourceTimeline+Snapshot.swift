package import Catalog
package import Model

extension SourceTimeline {
    /// Entries of each sort; of more than that the newest.
    package static let limit = 500

    /// From what was read of the archive, and what the stream has proved since. Pure.
    ///
    /// - Parameter live: nil where another process archives the source.
    package init(_ snapshot: CatalogSnapshot, live: Watermark?) {
        let style = snapshot.style
        self.init(name: snapshot.source, kind: snapshot.descriptor.kind)
        timeline = live?.timeline ?? snapshot.currentTimeline
        windows = Self.windows(snapshot, live)
        backups = snapshot.backups.suffix(Self.limit).map { Backup($0, style) }
        points = snapshot.points.sorted { $0.time < $1.time }.suffix(Self.limit).map {
            Point(name: $0.name, time: Millis($0.time), position: style.text($0.position))
        }
        gaps = snapshot.gaps.suffix(Self.limit).map { Lost($0, style, windows) }
        positions = snapshot.positionBounds(live: live).suffix(2 * Self.limit).map { bound in
            let text = style.text(bound.position.ordinal)
            return Place(
                time: Millis(bound.time), timeline: bound.position.timeline,
                atLeast: bound.side == .most ? nil : text,
                atMost: bound.side == .least ? nil : text)
        }
    }

    /// Adds what a search of the archive has found; an event without a time has no place on an
    /// axis.
    package mutating func show(
        _ found: [DestructiveEvent], isComplete: Bool, _ style: any PositionStyle
    ) {
        events = found.compactMap { event in
            event.time.map {
                Event(
                    id: event.id.description, action: event.action, place: event.place,
                    time: Millis($0), position: style.text(event.before.ordinal))
            }
        }.suffix(Self.limit)
        eventSearch = isComplete ? .complete : .running
    }

    /// The newest window ends where the newest proof does.
    private static func windows(_ snapshot: CatalogSnapshot, _ live: Watermark?) -> [Window] {
        guard let current = snapshot.currentTimeline else { return [] }
        let style = snapshot.style
        var stretches = snapshot.stretches(around: snapshot.path(to: current))
        if snapshot.isLeft(for: live) { stretches.removeAll { $0.window.timeline == current } }
        var windows = stretches.map { Window($0.window, $0.reach, style) }
        guard let live, snapshot.isProofRestorable, let newest = snapshot.newestReach,
            let proved = newest.proved(by: live)
        else { return windows }
        if proved.from == stretches.last?.window.to, let last = windows.indices.last {
            windows[last].to = Millis(proved.to)
        } else {
            windows.append(Window(proved, newest.reach, style))
        }
        windows[windows.count - 1].last = style.text(live.archived)
        return windows
    }
}

extension SourceTimeline.Window {
    fileprivate init(
        _ window: RecoveryWindow, _ reach: Reach, _ style: any PositionStyle
    ) {
        self.init(
            timeline: window.timeline, from: Millis.notBefore(window.from),
            to: Millis(window.to), first: style.text(reach.first.ordinal),
            last: style.text(reach.end.ordinal))
    }
}

extension SourceTimeline.Backup {
    package init(_ backup: BaseBackupDescriptor, _ style: any PositionStyle) {
        self.init(
            id: backup.id, started: Millis(backup.started),
            finished: Millis.notBefore(backup.finished), bytes: backup.bytes,
            storedBytes: backup.storedBytes, position: style.text(backup.end))
    }
}

extension SourceTimeline.Lost {
    /// On a time axis a gap reaches from the last moment before it that can be restored to the
    /// first one after it.
    fileprivate init(
        _ gap: Gap, _ style: any PositionStyle, _ windows: [SourceTimeline.Window]
    ) {
        let from = windows.last { $0.to.time <= gap.found }?.to ?? Millis(gap.found)
        let to = windows.first { $0.from.time > from.time }?.from
        self.init(
            timeline: gap.timeline, first: style.text(gap.first), last: style.text(gap.last),
            reason: gap.reason, from: from, to: to)
    }
}
