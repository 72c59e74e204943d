import Glibc
import Model
import Testing

/// Keeps what a stream delivers, per timeline; bytes that come again must be the same.
final class RecordingSink: ChangeSink {
    /// One timeline's bytes from `first` on.
    struct Run {
        var first: UInt64
        var bytes: [UInt8] = []
        var end: UInt64 { first + UInt64(bytes.count) }
    }

    private(set) var runs: [TimelineID: Run] = [:]
    private(set) var entries: [HistoryEntry] = []
    private(set) var attachments: [String: [UInt8]] = [:]
    var timeline = TimelineID("1")
    private var next: UInt64 = 0

    /// The bytes that follow start here.
    func begin(_ position: Position) {
        timeline = position.timeline
        next = position.ordinal
        if runs[timeline] == nil { runs[timeline] = Run(first: position.ordinal) }
    }

    var end: UInt64 { runs[timeline]?.end ?? 0 }

    func append(_ bytes: RawSpan, at first: UInt64) throws(TidemarkError) {
        guard first == next else { throw TidemarkError(.failed, "hole at \(first), not \(next)") }
        next += UInt64(bytes.byteCount)
        let fresh = bytes.withUnsafeBytes { Array($0) }
        let known = Int(runs[timeline]!.end - first)
        let overlap = min(known, fresh.count)
        let offset = Int(first - runs[timeline]!.first)
        guard areSame(runs[timeline]!.bytes, offset, fresh, 0, overlap) else {
            throw TidemarkError(.contentConflict, "other bytes at \(first)")
        }
        runs[timeline]!.bytes += fresh[overlap...]
    }

    func note(_ entry: HistoryEntry) throws(TidemarkError) { entries.append(entry) }

    func attach(
        _ name: String, timeline: TimelineID, _ bytes: [UInt8]
    ) throws(TidemarkError) {
        attachments[name] = bytes
    }
}

/// Whether `count` bytes of two arrays are the same; fast also without the optimizer.
func areSame(_ a: [UInt8], _ first: Int, _ b: [UInt8], _ second: Int, _ count: Int) -> Bool {
    guard first + count <= a.count, second + count <= b.count else { return false }
    return a.withUnsafeBytes { x in
        b.withUnsafeBytes { y in
            count == 0 || memcmp(x.baseAddress! + first, y.baseAddress! + second, count) == 0
        }
    }
}
