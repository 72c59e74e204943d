import Model

/// How long the slot still keeps what the archive needs, at the present rate of writing. Pure.
struct InspectWindow: Sendable {
    private var samples: [(time: MonotonicTime, insert: UInt64)] = []
    /// Seconds between two samples, and how many are kept: ten minutes.
    private static let spacing = 10.0
    private static let limit = 60

    /// The server wrote up to `insert`.
    mutating func saw(_ insert: UInt64, _ now: MonotonicTime) {
        if let last = samples.last {
            if insert < last.insert { samples = [] }
            guard now.seconds(since: last.time) >= Self.spacing else { return }
        }
        samples.append((now, insert))
        if samples.count > Self.limit { samples.removeFirst() }
    }

    /// - Parameters:
    ///   - status: `wal_status` of the slot.
    ///   - safeBytes: `safe_wal_size`: what may be written before the slot is lost; nil: no limit.
    func window(status: String, safeBytes: Int64?) -> SourceWindow {
        if status == "lost" {
            return SourceWindow(kind: "slot", headroomSeconds: 0, headroomBytes: 0)
        }
        guard let safeBytes else {
            return SourceWindow(kind: "slot", headroomSeconds: nil, headroomBytes: nil)
        }
        let bytes = UInt64(max(0, safeBytes))
        return SourceWindow(
            kind: "slot", headroomSeconds: rate.map { Double(bytes) / $0 }, headroomBytes: bytes)
    }

    /// Bytes a second; nil when nothing was written, or too little time has been seen.
    private var rate: Double? {
        guard let first = samples.first, let last = samples.last, last.insert > first.insert
        else { return nil }
        return Double(last.insert - first.insert) / last.time.seconds(since: first.time)
    }
}
