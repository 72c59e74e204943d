package import Model

/// One minute of a source: what it would have lost at worst, and how much was archived.
package struct HistoryPoint: Hashable, Sendable {
    /// Minutes since 1970-01-01T00:00Z.
    package var minute: Int64
    /// The worst of the minute; nil when nothing was proved for some of it.
    package var exposureSeconds: Double?
    package var archivedBytes: UInt64

    package init(minute: Int64, exposureSeconds: Double?, archivedBytes: UInt64) {
        self.minute = minute
        self.exposureSeconds = exposureSeconds
        self.archivedBytes = archivedBytes
    }

    /// The minute that a moment lies in.
    package static func minute(of time: CommitTime) -> Int64 {
        Int64((Double(time.microseconds) / 60e6).rounded(.down))
    }

    /// When the minute begins.
    package var time: CommitTime { CommitTime(microseconds: minute * 60_000_000) }

    /// Days since 1970-01-01.
    package var day: Int64 { Self.day(of: minute) }

    /// The day that a minute lies in.
    package static func day(of minute: Int64) -> Int64 {
        minute >= 0 ? minute / 1440 : (minute - 1439) / 1440
    }

    /// Takes in another stretch: the worse exposure of both, and unknown is the worst.
    package mutating func merge(_ other: HistoryPoint) {
        if let mine = exposureSeconds, let theirs = other.exposureSeconds {
            exposureSeconds = max(mine, theirs)
        } else {
            exposureSeconds = nil
        }
        archivedBytes = archivedBytes &+ other.archivedBytes
    }
}
