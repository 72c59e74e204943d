@testable import Segments

extension HistoryNote {
    /// All notes of an index, each an array.
    static func encode(_ index: SegmentIndex) -> [[UInt8]] {
        var notes: [[UInt8]] = []
        encode(index, Buffer(capacity: 64)) { note in
            notes.append(unsafe note.withUnsafeBytes { unsafe Array($0) })
        }
        return notes
    }
}
