/// A file in GridFS, as its document in `<bucket>.files` says (the driver specification "GridFS"):
/// `length` bytes in chunks of `chunkSize`, the last one with what is left.
struct GridFSFile: Hashable, Sendable {
    let id: BSONValue
    let name: String?
    let length: Int64
    let chunkSize: Int64

    /// Nil for a document that is none of GridFS: a collection may be called `files` for other
    /// reasons.
    init?(_ document: BSONDocument) {
        guard let id = document["_id"], let length = document["length"]?.integer, length >= 0,
            let chunkSize = document["chunkSize"]?.integer, chunkSize > 0
        else { return nil }
        self.id = id
        name = document["filename"]?.string
        self.length = length
        self.chunkSize = chunkSize
    }

    /// How many chunks it must have.
    var chunks: Int64 { length / chunkSize + (length % chunkSize == 0 ? 0 : 1) }

    func size(ofChunk number: Int64) -> Int64 {
        number < chunks - 1 ? chunkSize : length - (chunks - 1) * chunkSize
    }

    /// What is wrong with its chunks; empty when all are there, once and in their size.
    ///
    /// - Parameter mayRepeat: documents may have come twice, which is nothing wrong then.
    func faults(_ found: GridFSChunks, mayRepeat: Bool) -> [String] {
        var next: Int64 = 0
        var missing: Int64 = 0
        var firstMissing: Int64?
        var doubled: Int64 = 0
        var wrong: [Int64] = []
        var beyond = found.strange
        for run in found.runs.sorted(by: { $0.first < $1.first }) {
            if run.first > next, next < chunks {
                missing += min(run.first, chunks) - next
                firstMissing = firstMissing ?? next
            }
            doubled += max(0, min(next, run.end) - run.first)
            beyond += max(0, run.end - max(run.first, chunks))
            wrong += wrongSizes(run)
            next = max(next, run.end)
        }
        if next < chunks {
            missing += chunks - next
            firstMissing = firstMissing ?? next
        }
        var faults: [String] = []
        if missing > 0, let firstMissing {
            faults.append(
                "\(missing) of its \(chunks) chunks are missing, the first is \(firstMissing)")
        }
        if doubled > 0, !mayRepeat { faults.append("\(doubled) of its chunks are there twice") }
        if let first = wrong.first {
            faults.append(
                "chunk \(first) has another size than \(size(ofChunk: first)) bytes"
                    + (wrong.count > 1 ? ", and \(wrong.count - 1) more have" : ""))
        }
        if beyond > 0 { faults.append("\(beyond) chunks lie behind its end") }
        return faults
    }

    /// Chunks of a run, which all have one size: the full ones count as one, named by the first.
    private func wrongSizes(_ run: GridFSChunks.Run) -> [Int64] {
        var wrong: [Int64] = []
        if run.first < min(run.end, chunks - 1), run.size != chunkSize { wrong.append(run.first) }
        let last = chunks - 1
        if run.first <= last, last < run.end, run.size != size(ofChunk: last) { wrong.append(last) }
        return wrong
    }
}

/// The chunks that were found of one file: runs of one size, mostly one of full chunks and the
/// last.
struct GridFSChunks: Hashable, Sendable {
    struct Run: Hashable, Sendable {
        var first: Int64
        var end: Int64
        var size: Int64
    }

    private(set) var runs: [Run] = []
    /// Chunks whose number cannot be one.
    private(set) var strange: Int64 = 0

    /// A file of 16 EB in chunks of one byte has no more.
    private static let limit: Int64 = 1 << 62

    mutating func add(_ number: Int64, size: Int64) {
        guard (0..<Self.limit).contains(number) else {
            strange += 1
            return
        }
        if let last = runs.last, last.end == number, last.size == size {
            runs[runs.count - 1].end += 1
        } else {
            runs.append(Run(first: number, end: number + 1, size: size))
        }
    }
}
