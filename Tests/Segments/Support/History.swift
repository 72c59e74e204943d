import Model
import TestKit

/// A source whose every byte and commit is known: content compresses about threefold, like WAL.
struct History: Sendable {
    /// Distance between commits, and the length of their records.
    var spacing: UInt64 = 700
    static let record: UInt64 = 34
    private static let page = 4096

    private static let template: [UInt8] = {
        var random = SeededRandom(seed: 7)
        var bytes: [UInt8] = []
        while bytes.count < page {
            bytes += random.bytes(12) + [UInt8](repeating: UInt8(bytes.count / 256), count: 24)
        }
        return Array(bytes[..<page])
    }()

    /// The bytes from `first` to `last`; the same for the same place, always.
    func bytes(_ first: UInt64, _ last: UInt64) -> [UInt8] {
        let size = UInt64(Self.page)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Int(last - first) + 2 * Self.page)
        var page = first / size
        while page * size < last {
            let start = bytes.count
            bytes += Self.template
            var word = (page &+ 1) &* 0x9E37_79B9_7F4A_7C15
            for place in stride(from: start, to: start + 1024, by: 8) {
                withUnsafeBytes(of: word) { stamp in
                    for index in 0..<8 { bytes[place + index] = stamp[index] }
                }
                word = word &* 6_364_136_223_846_793_005 &+ 1
            }
            page += 1
        }
        let skipped = Int(first % size)
        return Array(bytes[skipped..<skipped + Int(last - first)])
    }

    /// Commits whose last byte lies in `(first, last]`; times jump back now and then.
    func commits(_ first: UInt64, _ last: UInt64) -> [HistoryEntry] {
        var entries: [HistoryEntry] = []
        var number = first > Self.record ? (first - Self.record) / spacing : 0
        while true {
            let entry = commit(number)
            if entry.last > last { return entries }
            if entry.last > first { entries.append(entry) }
            number += 1
        }
    }

    private func commit(_ number: UInt64) -> HistoryEntry {
        let jitter: Int64 = number % 5 == 3 ? -2_500_000 : 0
        return HistoryEntry(
            event: .commit(transaction: number), first: number * spacing,
            last: number * spacing + Self.record,
            time: CommitTime(
                microseconds: 1_795_348_800_000_000 + Int64(number) * 1_000_000 + jitter))
    }
}
