package import Model

/// The ancestors of a timeline, as a history file lists them (`00000003.history`).
///
/// One line per ancestor, oldest first: number, tab, the LSN at which its child left it, tab,
/// reason. Blank lines and lines that start with `#` mean nothing (`readTimeLineHistory`,
/// timeline.c). Timeline 1, and a timeline whose file is unknown, has no ancestors and no file.
package struct TimelineHistory: Hashable, Sendable {
    /// One line: `timeline` holds everything below `switchPoint` that its own ancestors do not.
    package struct Ancestor: Hashable, Sendable {
        package var timeline: UInt32
        package var switchPoint: UInt64
        package var reason: String

        package init(timeline: UInt32, switchPoint: UInt64, reason: String) {
            self.timeline = timeline
            self.switchPoint = switchPoint
            self.reason = reason
        }
    }

    /// The timeline whose history this is.
    package let timeline: UInt32
    /// Oldest first; numbers ascend, switch points never go back.
    package let ancestors: [Ancestor]

    /// A timeline without ancestors.
    package init(root timeline: UInt32) {
        self.timeline = timeline
        ancestors = []
    }

    /// Reads the content of the history file of `timeline`.
    package init(timeline: UInt32, content: [UInt8]) throws(TidemarkError) {
        var ancestors: [Ancestor] = []
        for line in content.split(separator: UInt8(ascii: "\n")) {
            let text = String(decoding: line, as: UTF8.self)
            let fields = text.drop { $0 == " " || $0 == "\t" || $0 == "\r" }
            if fields.isEmpty || fields.hasPrefix("#") { continue }
            guard let ancestor = Self.parse(fields), ancestor.timeline < timeline,
                ancestor.timeline > ancestors.last?.timeline ?? 0,
                ancestor.switchPoint >= ancestors.last?.switchPoint ?? 0
            else { throw Self.damaged(timeline, text) }
            ancestors.append(ancestor)
        }
        self.timeline = timeline
        self.ancestors = ancestors
    }

    /// The content of the file, byte for byte as the server writes it.
    package var content: [UInt8] {
        let lines = ancestors.map { "\($0.timeline)\t\(LSN.text($0.switchPoint))\t\($0.reason)\n" }
        return Array(lines.joined(separator: "\n").utf8)
    }

    private static func parse(_ line: Substring) -> Ancestor? {
        let fields = line.split(
            maxSplits: 2, omittingEmptySubsequences: true, whereSeparator: { $0 == "\t" })
        guard fields.count >= 2, let timeline = UInt32(fields[0]),
            let switchPoint = LSN.parse(fields[1])
        else { return nil }
        let reason = fields.count == 3 ? String(fields[2]) : ""
        return Ancestor(timeline: timeline, switchPoint: switchPoint, reason: reason)
    }

    private static func damaged(_ timeline: UInt32, _ line: String) -> TidemarkError {
        let name = WalFileName.history(timeline: timeline).text(size: .standard)
        return TidemarkError(
            .archiveDamaged, "history file \(name) has a line that makes no sense: \(line)",
            remedy: "copy \(name) from the server's pg_wal folder into the archive again")
    }
}

extension TimelineHistory {
    /// True for the timeline itself and for each of its ancestors.
    package func contains(_ other: UInt32) -> Bool {
        other == timeline || ancestors.contains { $0.timeline == other }
    }

    /// The timeline that wrote the byte at `lsn`, on the way to this one.
    package func owner(of lsn: UInt64) -> UInt32 {
        ancestors.first { lsn < $0.switchPoint }?.timeline ?? timeline
    }

    /// Where the history leaves `other`; nil for the timeline itself and for strangers.
    package func switchPoint(leaving other: UInt32) -> UInt64? {
        ancestors.first { $0.timeline == other }?.switchPoint
    }

    /// Where the part of the history that `other` wrote begins; nil for strangers.
    package func start(of other: UInt32) -> UInt64? {
        if other == timeline { return ancestors.last?.switchPoint ?? 0 }
        guard let place = ancestors.firstIndex(where: { $0.timeline == other }) else { return nil }
        return place == 0 ? 0 : ancestors[place - 1].switchPoint
    }

    /// The timeline this one was forked from; nil for a root.
    package var parent: UInt32? { ancestors.last?.timeline }

    /// Whether history up to `lsn` on `other` is shared, so that a base backup which ends there can
    /// be replayed along this timeline.
    package func passes(_ other: UInt32, at lsn: UInt64) -> Bool {
        if other == timeline { return true }
        guard let end = switchPoint(leaving: other) else { return false }
        return lsn <= end
    }
}
