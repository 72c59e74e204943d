import Model
import Platform

/// The records between the page headers.
extension WalScanner {
    /// The scan itself. Stops early behind the first record that ends beyond `limit`, and behind an
    /// entry for which `found` says true; `last` is then that record. Returns how many bytes it
    /// took.
    mutating func scan(
        _ bytes: RawSpan, at first: UInt64, beyond limit: UInt64,
        _ found: (HistoryEntry) throws(TidemarkError) -> Bool
    ) throws(TidemarkError) -> Int {
        if first != position {
            throw damaged(position, "the bytes that follow", "those at \(LSN.text(first))")
        }
        var offset = 0
        while offset < bytes.byteCount {
            if step == .switched || step == .ended {
                offset += passOver(bytes.byteCount - offset)
                continue
            }
            let missing = missingPageHeader
            if missing > 0 {
                offset += try takePageHeader(bytes, offset, missing: missing)
                continue
            }
            let pageEnd = (position | (WalPageHeader.pageBytes - 1)) + 1
            let piece = offset + min(bytes.byteCount - offset, Int(pageEnd - position))
            let before = last.start
            switch step {
            case .atRecord:
                offset = try skipRecords(bytes, offset, piece, limit)
            case .inHeader:
                offset = try takeRecordHeader(bytes, offset, piece)
            case .skipping:
                offset = takeSkipped(bytes, offset, piece)
            case .reading:
                offset = try takeBody(bytes, offset, piece)
                if step == .atRecord, try report(found) { return offset }
            case .switched, .ended:
                preconditionFailure("handled above")
            }
            if last.start != before, last.end > limit { return offset }
        }
        return offset
    }

    /// Steps over whole records of no interest; this is where bulk WAL passes. Stops at the first
    /// that is not wholly here, must be looked at, or looks wrong.
    private mutating func skipRecords(
        _ bytes: RawSpan, _ start: Int, _ piece: Int, _ limit: UInt64
    ) throws(TidemarkError) -> Int {
        var offset = start
        var place = last
        var before = beforeLast
        var next = position
        let skips = checks == .interpretedRecords
        while skips, piece - offset >= WalRecordHeader.bytes, next <= limit {
            let record = WalRecordHeader(bytes, at: offset)
            let padded = (Int(record.length) + 7) & ~7
            guard record.length >= WalRecordHeader.bytes, padded <= piece - offset,
                record.meaning == .other, WalRecordHeader.isKnown(manager: record.manager),
                record.previous == place.start || place.start == 0 && record.previous < next
            else { break }
            before = place
            place = WalRecordPlace(start: next, end: next + UInt64(padded))
            offset += padded
            next += UInt64(padded)
        }
        last = place
        beforeLast = before
        position = next
        if offset < piece, next <= limit || offset == start {
            recordStart = next
            consumed = 0
            length = 0
            step = .inHeader
        }
        return offset
    }

    /// Takes bytes of a record's header, and decides what to do with the record once it is whole.
    private mutating func takeRecordHeader(
        _ bytes: RawSpan, _ offset: Int, _ piece: Int
    ) throws(TidemarkError) -> Int {
        let held = Int(consumed)
        let count = min(WalRecordHeader.bytes - held, piece - offset)
        hold(bytes, offset, count, at: held)
        consumed += UInt64(count)
        position += UInt64(count)
        guard consumed >= 4 else { return offset + count }
        let total = unsafe headerWords.span.bytes.little(0, as: UInt32.self)
        if total == 0, takeZeroLength() { return offset + count }
        try checkLength(total)
        length = UInt64(total)
        if consumed == UInt64(WalRecordHeader.bytes) { try begin() }
        return offset + count
    }

    /// Copies bytes into the header's buffer.
    private mutating func hold(_ bytes: RawSpan, _ offset: Int, _ count: Int, at held: Int) {
        if count == WalRecordHeader.bytes {
            headerWords[0] = bytes.little(offset, as: UInt64.self)
            headerWords[1] = bytes.little(offset + 8, as: UInt64.self)
            headerWords[2] = bytes.little(offset + 16, as: UInt64.self)
            return
        }
        for place in 0..<count {
            let target = held + place
            let shift = UInt64(target % 8 * 8)
            let byte = UInt64(bytes.byte(offset + place)) << shift
            headerWords[target / 8] = headerWords[target / 8] & ~(0xFF << shift) | byte
        }
    }

    /// A length of zero is no record. Returns true when there is a good reason for it.
    private mutating func takeZeroLength() -> Bool {
        if restIsSwitch, last.start == 0 {
            step = .switched
        } else if tail == .mayFollow {
            finish(at: recordStart, .zeros)
        } else {
            return false
        }
        return true
    }

    private func checkLength(_ total: UInt32) throws(TidemarkError) {
        if total < WalRecordHeader.bytes || total > WalRecordHeader.maximumLength {
            throw damaged(recordStart, "a record of at least 24 bytes", "a length of \(total)")
        }
    }

    /// Checks the header that is now whole (`ValidXLogRecordHeader`, xlogreader.c).
    private mutating func begin() throws(TidemarkError) {
        header = unsafe WalRecordHeader(headerWords.span.bytes)
        if !WalRecordHeader.isKnown(manager: header.manager) {
            throw damaged(
                recordStart, "a record of a known resource manager", "number \(header.manager)")
        }
        if last.start != 0, header.previous != last.start {
            throw damaged(
                recordStart, "a link to the record at \(LSN.text(last.start))",
                LSN.text(header.previous))
        }
        if header.previous >= recordStart {
            throw damaged(
                recordStart, "a link to an earlier record", LSN.text(header.previous))
        }
        let isInterpreted = header.isInterpreted
        if isInterpreted { parser.begin(header, version) }
        checksum = CRC32C()
        step = isInterpreted || checks == .everyRecord ? .reading : .skipping
        // A header without a body, as a segment switch is.
        if consumed == length {
            try checkRecord()
            complete()
        }
    }

    /// Steps over bytes of a record and of its padding.
    private mutating func takeSkipped(_ bytes: RawSpan, _ offset: Int, _ piece: Int) -> Int {
        let count = Int(min(paddedLength - consumed, UInt64(piece - offset)))
        if recordStart == 0, length <= 16 {
            // Perhaps the end of a segment switch's header: keep it, see `takeZeroLength`.
            let held = WalRecordHeader.bytes - Int(paddedLength - consumed)
            hold(bytes, offset, count, at: held)
        }
        consumed += UInt64(count)
        position += UInt64(count)
        if consumed == paddedLength { complete() }
        return offset + count
    }

    /// Looks at bytes of a record, then steps over its padding.
    private mutating func takeBody(
        _ bytes: RawSpan, _ offset: Int, _ piece: Int
    ) throws(TidemarkError) -> Int {
        let count = Int(min(length - min(consumed, length), UInt64(piece - offset)))
        if count > 0 {
            let body = bytes.extracting(offset..<offset + count)
            checksum.update(body)
            if header.isInterpreted { parser.feed(body) }
            consumed += UInt64(count)
            position += UInt64(count)
            if consumed == length { try checkRecord() }
        }
        let padding = Int(min(paddedLength - consumed, UInt64(piece - offset - count)))
        consumed += UInt64(padding)
        position += UInt64(padding)
        if consumed == paddedLength { complete() }
        return offset + count + padding
    }

    /// Length of the record at hand with the padding that follows it.
    private var paddedLength: UInt64 { (length + 7) & ~7 }

    /// Checks a record that was looked at, at its last byte.
    private mutating func checkRecord() throws(TidemarkError) {
        guard step == .reading else { return }
        unsafe checksum.update(headerWords.span.bytes.extracting(0..<WalRecordHeader.checkedBytes))
        if checksum.value != header.checksum {
            throw damaged(
                recordStart, "a record with the checksum \(header.checksum)",
                "\(checksum.value)")
        }
        if header.isInterpreted, !parser.isComplete {
            throw damaged(recordStart, "a \(header.meaning) record", "one that cannot be read")
        }
    }

    /// Closes the record whose last padding byte has been taken.
    private mutating func complete() {
        step = .atRecord
        guard recordStart != 0 else {
            let bytes = unsafe headerWords.span.bytes
            restIsSwitch =
                (length == 8 || length == 16) && bytes.byte(16) & 0xF0 == 0x40
                && bytes.byte(17) == WalRecordHeader.managerLog
            return
        }
        beforeLast = last
        last = WalRecordPlace(start: recordStart, end: position)
        guard header.meaning == .segmentSwitch else { return }
        last.end = segmentEnd(from: position)
        if last.end != position { step = .switched }
    }

    /// End of the segment that the byte before `lsn` lies in.
    private func segmentEnd(from lsn: UInt64) -> UInt64 {
        (lsn + segmentBytes - 1) & ~(segmentBytes - 1)
    }

    /// Passes over bytes that are not WAL: up to the next segment, or for good.
    private mutating func passOver(_ available: Int) -> Int {
        guard step == .switched else {
            position += UInt64(available)
            return available
        }
        let next = segmentEnd(from: position)
        let count = min(UInt64(available), next - position)
        position += count
        if position == next { step = .atRecord }
        return Int(count)
    }

    /// Hands over the record completed last, if it is of interest; true when the scan is to stop.
    private func report(
        _ found: (HistoryEntry) throws(TidemarkError) -> Bool
    ) throws(TidemarkError) -> Bool {
        let transaction = UInt64(
            parser.preparedTransaction == 0 ? header.transaction : parser.preparedTransaction)
        let event: HistoryEntry.Event
        switch header.meaning {
        case .commit: event = .commit(transaction: transaction)
        case .abort: event = .abort(transaction: transaction)
        case .restorePoint: event = .restorePoint(name: parser.name)
        case .segmentSwitch, .other: return false
        }
        return try found(
            HistoryEntry(
                event: event, first: last.start, last: last.end,
                time: CommitTime(postgres: parser.time)))
    }
}
