import Model
import Platform

@testable import Postgres

/// Writes WAL as a server would, for cases that are hard to bring a real one to.
struct WalBuilder {
    static let magics: [Int: UInt16] = [
        13: 0xD106, 14: 0xD10D, 15: 0xD110, 16: 0xD113, 17: 0xD116, 18: 0xD118,
    ]

    var segmentBytes: UInt64 = 1 << 20
    var systemIdentifier: UInt64 = 7_711_588_932_372_471_912
    var timeline: UInt32 = 1
    var magic: UInt16 = 0xD110
    let start: UInt64
    private(set) var bytes: [UInt8] = []
    private(set) var records: [WalRecordPlace] = []
    /// Offsets of the bytes that fill up to a multiple of eight.
    private(set) var padding: Set<Int> = []
    var previous: UInt64

    init(start: UInt64 = 0x300_0000, previous: UInt64 = 0x2FF_FF90) {
        self.start = start
        self.previous = previous
    }

    var position: UInt64 { start + UInt64(bytes.count) }
    var left: Int { Int(8192 - position % 8192) }

    // MARK: - Records

    /// Appends a record and returns its place. `body` follows the 24 bytes of the header.
    @discardableResult
    mutating func record(
        manager: UInt8, info: UInt8, transaction: UInt32 = 0, _ body: [UInt8]
    ) -> WalRecordPlace {
        if position % 8192 == 0 { page(rest: 0) }
        let begin = position
        append(Self.record(manager, info, transaction, previous, body))
        while position % 8 != 0 {
            padding.insert(bytes.count)
            bytes.append(0)
        }
        previous = begin
        records.append(WalRecordPlace(start: begin, end: position))
        return records.last!
    }

    /// A record of no interest, `length` bytes long in all.
    @discardableResult
    mutating func filler(_ length: Int) -> WalRecordPlace {
        let body = length > 24 ? [255, UInt8(truncatingIfNeeded: length - 26)] : []
        return record(
            manager: 10, info: 0, transaction: 700,
            body + [UInt8](repeating: 0xAB, count: max(0, length - 26)))
    }

    /// Fills the page so that `left` bytes of it remain.
    mutating func fill(leaving left: Int) {
        if position % 8192 == 0 { page(rest: 0) }
        while self.left != left, self.left - left < 24 { filler(64) }
        if self.left > left { filler(self.left - left) }
    }

    @discardableResult
    mutating func commit(_ transaction: UInt32, at time: Int64) -> WalRecordPlace {
        record(
            manager: 1, info: 0, transaction: transaction,
            [255, 8] + Self.little(UInt64(bitPattern: time)))
    }

    @discardableResult
    mutating func abort(_ transaction: UInt32, at time: Int64) -> WalRecordPlace {
        record(
            manager: 1, info: 0x20, transaction: transaction,
            [255, 8] + Self.little(UInt64(bitPattern: time)))
    }

    @discardableResult
    mutating func restorePoint(_ name: String, at time: Int64) -> WalRecordPlace {
        let padded = Array(name.utf8) + [UInt8](repeating: 0, count: 64 - name.utf8.count)
        return record(
            manager: 0, info: 0x70, [255, 72] + Self.little(UInt64(bitPattern: time)) + padded)
    }

    /// A segment switch and the zeros behind it.
    @discardableResult
    mutating func segmentSwitch(tail: UInt8 = 0) -> WalRecordPlace {
        record(manager: 0, info: 0x40, [])
        while position % segmentBytes != 0 { bytes.append(tail) }
        records[records.count - 1].end = position
        return records.last!
    }

    // MARK: - Pages

    /// A page header at the present position.
    mutating func page(rest: UInt32, flags: UInt16 = 0, address: UInt64? = nil) {
        let long = position % segmentBytes == 0
        let all = flags | (rest > 0 ? 1 : 0) | (long ? 2 : 0)
        let place = address ?? position
        bytes += Self.little(magic) + Self.little(all) + Self.little(timeline)
        bytes += Self.little(place) + Self.little(rest) + [0, 0, 0, 0]
        if long {
            bytes += Self.little(systemIdentifier) + Self.little(UInt32(segmentBytes))
            bytes += Self.little(UInt32(8192))
        }
    }

    /// Bytes as they are.
    mutating func raw(_ more: [UInt8]) { bytes += more }

    /// Cuts the WAL at `lsn`, as a crash does.
    mutating func cut(at lsn: UInt64) {
        bytes.removeLast(Int(position - lsn))
        records.removeAll { $0.end > lsn }
        previous = records.last?.start ?? previous
    }

    /// Data that may run over pages.
    private mutating func append(_ data: [UInt8]) {
        var done = 0
        while done < data.count {
            if position % 8192 == 0 { page(rest: UInt32(data.count - done)) }
            let count = min(left, data.count - done)
            bytes += data[done..<done + count]
            done += count
        }
    }

    // MARK: - Pieces

    static func record(
        _ manager: UInt8, _ info: UInt8, _ transaction: UInt32, _ previous: UInt64, _ body: [UInt8]
    ) -> [UInt8] {
        let head =
            little(UInt32(24 + body.count)) + little(transaction) + little(previous)
            + [info, manager, 0, 0]
        var checksum = CRC32C()
        checksum.update(body.span.bytes)
        checksum.update(head.span.bytes)
        return head + little(checksum.value) + body
    }

    static func little<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
        (0..<T.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> T($0 * 8)) }
    }
}

extension WalBuilder {
    func scanner(
        checks: WalScanner.Checks = .everyRecord, tail: WalScanner.Tail = .isDamage
    ) throws -> WalScanner {
        try WalScanner(
            startAt: start, segmentBytes: segmentBytes, systemIdentifier: systemIdentifier,
            timeline: timeline, checks: checks, tail: tail)
    }

    /// Feeds everything in pieces of at most `piece` bytes.
    func scan(_ scanner: inout WalScanner, piece: Int = .max) throws -> [HistoryEntry] {
        try scanner.takeAll(bytes, from: scanner.position - start, piece: piece)
    }
}

extension WalScanner {
    /// Feeds `bytes` from an offset on, in pieces.
    mutating func takeAll(
        _ bytes: [UInt8], from offset: UInt64 = 0, piece: Int = .max
    ) throws -> [HistoryEntry] {
        var entries: [HistoryEntry] = []
        var offset = Int(offset)
        while offset < bytes.count {
            let count = min(piece, bytes.count - offset)
            try feed(bytes.span.bytes.extracting(offset..<offset + count), at: position) {
                (entry: HistoryEntry) throws(TidemarkError) in entries.append(entry)
            }
            offset += count
        }
        return entries
    }
}
