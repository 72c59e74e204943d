import Repository

/// The newest buckets of one width, of which the older ones are overwritten.
struct HistoryLevel: Sendable {
    /// Buckets that are kept, and points that an answer has at most.
    static let capacity = 1500

    /// Minutes that a bucket covers.
    let width: Int64
    /// By the bucket's number modulo the capacity; `minute` holds that number.
    private var buckets: [HistoryPoint?] = []

    init(width: Int64) { self.width = width }

    /// - Parameter now: the minute it is; what lies beyond was written by a clock that stood wrong,
    ///   and gives way.
    mutating func add(_ point: HistoryPoint, now: Int64) {
        guard point.minute >= 0 else { return }
        if buckets.isEmpty { buckets = Array(repeating: nil, count: Self.capacity) }
        var point = point
        point.minute /= width
        let place = Int(point.minute % Int64(Self.capacity))
        switch buckets[place] {
        case let known? where known.minute > point.minute && known.minute <= now / width: return
        case let known? where known.minute == point.minute: buckets[place]?.merge(point)
        default: buckets[place] = point
        }
    }

    /// The buckets that began in the `minutes` before and with `minute`, by the minute they began.
    func points(minutes: Int64, until minute: Int64) -> [HistoryPoint] {
        guard minute >= 0, !buckets.isEmpty else { return [] }
        let last = minute / width
        let first = max(0, last - (minutes + width - 1) / width + 1)
        return (first...last).compactMap { number in
            guard var found = buckets[Int(number % Int64(Self.capacity))], found.minute == number
            else { return nil }
            found.minute *= width
            return found
        }
    }
}
