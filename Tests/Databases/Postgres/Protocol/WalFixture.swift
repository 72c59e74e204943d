import Glibc
import Model

@testable import Postgres

/// A folder of `Fixtures/postgres`: WAL of a real server, and what `pg_waldump` says of it.
struct WalFixture {
    static let segmentBytes: UInt64 = 1 << 20
    static let size = WalSegmentSize(bytes: segmentBytes)!

    let name: String
    /// First byte of the first segment, and the timeline its name says.
    let start: UInt64
    let timeline: UInt32
    /// The segments' content, joined.
    let bytes: [UInt8]
    /// Every record that starts in the files, by `pg_waldump`.
    let records: [UInt64]
    /// Commits, aborts and restore points, by `pg_waldump`.
    let judged: [JudgedEntry]
    /// Where it met the end of the WAL.
    let endOfWal: UInt64

    init(_ name: String, segments: [String]) {
        self.name = name
        guard case .segment(let timeline, let number)? = WalFileName(segments[0], size: Self.size)
        else { preconditionFailure("\(segments[0]) is not a segment") }
        self.timeline = timeline
        start = number * Self.segmentBytes
        bytes = segments.flatMap { Self.read("\(name)/\($0)") }
        records = Self.lines("\(name)/records.txt").map { LSN.parse($0)! }
        judged = Self.lines("\(name)/waldump.txt").compactMap { JudgedEntry($0) }
        let complaint = Self.lines("\(name)/end.txt")[0]
        endOfWal = Self.lastPlace(complaint)
    }

    static let plain = WalFixture(
        "plain",
        segments: [
            "000000010000000000000007", "000000010000000000000008", "000000010000000000000009",
        ])
    static let overwritten = WalFixture(
        "overwritten", segments: ["00000001000000000000000A", "00000001000000000000000B"])
    static let promoted = WalFixture("promoted", segments: ["00000003000000000000000C"])
    static let systemIdentifier = UInt64(lines("system-identifier.txt")[0])!

    func scanner(
        checks: WalScanner.Checks = .everyRecord, tail: WalScanner.Tail = .mayFollow
    ) throws -> WalScanner {
        try WalScanner(
            startAt: start, segmentBytes: Self.segmentBytes,
            systemIdentifier: Self.systemIdentifier, timeline: timeline, checks: checks, tail: tail)
    }

    /// The LSN in "…: invalid record length at 0/B02CA0: wanted 24, got 0".
    private static func lastPlace(_ text: String) -> UInt64 {
        let words = text.split(whereSeparator: { $0 == " " || $0 == ":" })
        return words.compactMap { LSN.parse($0) }.last!
    }

    static func lines(_ path: String) -> [String] {
        String(decoding: read(path), as: UTF8.self).split(separator: "\n").map(String.init)
    }

    static func read(_ path: String) -> [UInt8] {
        let root = #filePath.split(separator: "/").dropLast(5).joined(separator: "/")
        let full = "/" + root + "/Fixtures/postgres/" + path
        let descriptor = open(full, O_RDONLY)
        precondition(descriptor >= 0, "cannot open \(full)")
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            precondition(count >= 0, "cannot read \(full)")
            if count == 0 { return bytes }
            bytes.append(contentsOf: chunk[0..<count])
        }
    }
}

/// What a line of `pg_waldump` says of a record that recovery can stop at.
struct JudgedEntry: Equatable {
    var event: HistoryEntry.Event
    var first: UInt64
    /// `pg_waldump` does not print a restore point's time.
    var time: CommitTime?

    /// Nil for other records.
    init?(_ line: String) {
        guard let description = line.range(after: "desc: ").map({ line[$0...] }),
            let place = line.range(after: "lsn: ").map({ line[$0...].prefix { $0 != "," } }),
            let transaction = line.range(after: "tx:").map({
                line[$0...].drop { $0 == " " }.prefix { $0 != "," }
            })
        else { return nil }
        first = LSN.parse(place)!
        let words = description.split(separator: " ")
        switch words[0] {
        case "COMMIT": event = .commit(transaction: UInt64(transaction)!)
        case "ABORT": event = .abort(transaction: UInt64(transaction)!)
        case "COMMIT_PREPARED": event = .commit(transaction: UInt64(words[1].dropLast())!)
        case "ABORT_PREPARED": event = .abort(transaction: UInt64(words[1].dropLast())!)
        case "RESTORE_POINT":
            event = .restorePoint(name: String(description.dropFirst("RESTORE_POINT ".count)))
            return
        default: return nil
        }
        let stamp = words[0].hasSuffix("PREPARED") ? words[2...3] : words[1...2]
        time = CommitTime(stamp.joined(separator: " ") + "Z")!
    }
}

extension String {
    /// The place behind the first occurrence of `mark`.
    func range(after mark: String) -> String.Index? {
        var rest = self[...]
        while !rest.isEmpty {
            if rest.hasPrefix(mark) { return rest.index(rest.startIndex, offsetBy: mark.count) }
            rest = rest.dropFirst()
        }
        return nil
    }
}
