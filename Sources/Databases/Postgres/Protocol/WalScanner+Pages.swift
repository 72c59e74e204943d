import Model

/// The page headers.
extension WalScanner {
    static func pageHeaderBytes(at pageStart: UInt64, segmentBytes: UInt64) -> Int {
        pageStart & (segmentBytes - 1) == 0 ? WalPageHeader.longBytes : WalPageHeader.shortBytes
    }

    /// How many bytes are missing of the header of the page at hand; 0 behind it.
    var missingPageHeader: Int {
        let inPage = Int(position & (WalPageHeader.pageBytes - 1))
        guard inPage < WalPageHeader.longBytes else { return 0 }
        let bytes = Self.pageHeaderBytes(
            at: position - UInt64(inPage), segmentBytes: segmentBytes)
        return max(0, bytes - inPage)
    }

    /// Takes bytes of a page header, and checks it once it is whole. Returns how many it took.
    mutating func takePageHeader(
        _ bytes: RawSpan, _ offset: Int, missing: Int
    ) throws(TidemarkError) -> Int {
        let held = Int(position & (WalPageHeader.pageBytes - 1))
        let count = min(missing, bytes.byteCount - offset)
        for place in 0..<count { pageBuffer[held + place] = bytes.byte(offset + place) }
        position += UInt64(count)
        if count < missing { return count }
        let headerBytes = held + count
        let long = headerBytes == WalPageHeader.longBytes
        let page = unsafe WalPageHeader(pageBuffer.span.bytes, long: long)
        let start = position - UInt64(headerBytes)
        if tail == .mayFollow, let sign = unwritten(page, at: start, headerBytes) {
            finish(at: step == .atRecord ? start : recordStart, sign)
            return count
        }
        try check(page, at: start)
        if long { try checkIdentity(page, at: start) }
        try join(page, at: start)
        return count
    }

    /// Whether the page was never written: zeros, or the same place of an earlier segment.
    private func unwritten(
        _ page: WalPageHeader, at start: UInt64, _ headerBytes: Int
    ) -> WalEnd.Sign? {
        if unsafe pageBuffer.span.bytes.extracting(0..<headerBytes).isZero { return .zeros }
        let isOlder =
            page.address < start && (start - page.address) & (segmentBytes - 1) == 0
            && WalVersion(magic: page.magic) != nil
        return isOlder ? .recycledPage : nil
    }

    /// What every page header must hold (`XLogReaderValidatePageHeader`, xlogreader.c).
    private mutating func check(_ page: WalPageHeader, at start: UInt64) throws(TidemarkError) {
        guard let version = WalVersion(magic: page.magic) else {
            throw damaged(
                start, "a page of PostgreSQL 13 to 18", "the page magic \(hex(page.magic))")
        }
        if magic != 0, magic != page.magic {
            throw damaged(start, "the page magic \(hex(magic))", hex(page.magic))
        }
        if page.address != start {
            throw damaged(
                start, "the page of this address", "the page of \(LSN.text(page.address))")
        }
        let long = start & (segmentBytes - 1) == 0
        if page.flags & ~WalPageHeader.allFlags != 0
            || (page.flags & WalPageHeader.isLong != 0) != long
        {
            throw damaged(
                start, "the flags of a \(long ? "segment's first" : "later") page", hex(page.flags))
        }
        try checkTimeline(page, at: start)
        magic = page.magic
        self.version = version
        pageTimeline = page.timeline
    }

    private func checkTimeline(_ page: WalPageHeader, at start: UInt64) throws(TidemarkError) {
        let lowest = max(pageTimeline, 1)
        let isKnown = history?.contains(page.timeline) ?? true
        if isKnown, page.timeline >= lowest, page.timeline <= timeline ?? .max { return }
        var expected = "a page of timeline \(lowest)"
        if let timeline, timeline > lowest {
            expected += " to \(timeline)"
        } else if timeline == nil {
            expected += " or later"
        }
        throw damaged(start, expected, "timeline \(page.timeline)")
    }

    private func checkIdentity(_ page: WalPageHeader, at start: UInt64) throws(TidemarkError) {
        if let systemIdentifier, page.systemIdentifier != systemIdentifier {
            throw damaged(
                start, "system identifier \(systemIdentifier)", "\(page.systemIdentifier)")
        }
        if UInt64(page.segmentBytes) != segmentBytes {
            throw damaged(start, "segments of \(segmentBytes) bytes", "\(page.segmentBytes)")
        }
        if UInt64(page.pageBytes) != WalPageHeader.pageBytes {
            throw damaged(start, "WAL pages of 8192 bytes", "\(page.pageBytes)")
        }
    }

    /// Joins the page to the record that was interrupted by its start, if any.
    private mutating func join(_ page: WalPageHeader, at start: UInt64) throws(TidemarkError) {
        if page.flags & WalPageHeader.replacesLostRecord != 0 {
            // The server crashed before it had written the rest of a record, and said so: the
            // record never was (CreateOverwriteContrecordRecord, xlog.c).
            step = .atRecord
            return
        }
        let continues = page.flags & WalPageHeader.continuesRecord != 0
        let rest = UInt64(page.restOfRecord)
        if step == .atRecord, isFirstPage(start), continues {
            // The record began before the scan: pass over it.
            step = .skipping
            recordStart = 0
            consumed = 0
            length = rest
            if rest == 0 { throw damaged(start, "the rest of a record", "nothing") }
            return
        }
        if step == .atRecord {
            if continues || rest != 0 {
                throw damaged(start, "a new record", "\(rest) bytes of an older one")
            }
            return
        }
        if !continues || rest != length - consumed {
            throw damaged(
                start, "\(length - consumed) more bytes of the record at \(LSN.text(recordStart))",
                continues ? "\(rest)" : "a new record")
        }
    }

    /// True when the scan started with this page.
    private func isFirstPage(_ start: UInt64) -> Bool { last.start == 0 && start == scanStart }

    /// Ends the scan: what follows is not WAL.
    mutating func finish(at position: UInt64, _ sign: WalEnd.Sign) {
        end = WalEnd(position: position, sign: sign)
        step = .ended
    }

    func damaged(_ lsn: UInt64, _ expected: String, _ found: String) -> TidemarkError {
        TidemarkError(
            .archiveDamaged,
            "WAL is damaged at \(LSN.text(lsn)): expected \(expected), found \(found)",
            remedy: "compare the segment with the server's own and take a new base backup")
    }

    private func hex(_ value: UInt16) -> String {
        "0x" + String(value, radix: 16, uppercase: true)
    }
}
