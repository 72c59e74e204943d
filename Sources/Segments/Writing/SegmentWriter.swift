package import Model
package import Platform

/// Makes segments of what a stream delivers, durable before it is acknowledged.
///
/// One thread, the stream's, owns the writer and makes all calls. Order: `begin`; then `append`,
/// `note`, `attach` by the room while it pulls, `flush` or `poll` after each pull; `endTimeline`
/// when the source says so; `close`. After any error the writer is done for: close it, and let a
/// new one begin, which repairs and continues what this one left.
///
/// Small batches go inline: `flush` compresses, writes and syncs on the calling thread, since a hop
/// to another thread costs a synchronous standby a quarter of its transactions. Full chunks of 1
/// MiB go through the pipeline (`SegmentPipeline`); `poll` tells what it has made durable. A
/// segment is complete with its last byte and gets its final name on a thread of its own, so a
/// commit never waits for that; its bytes are durable in the open file before the next segment is
/// begun.
///
/// Commits of an `append` are to be noted before the next `append`, `flush` or `poll`. What was
/// archived before and is sent again is compared, see `Comparison`.
package final class SegmentWriter: ChangeSink {
    /// Position behind the last byte appended.
    package private(set) var received: UInt64 = 0
    private let context: WriterContext
    private let attachKey: @Sendable (TimelineID, String) -> ObjectKey
    private let pipeline: SegmentPipeline
    private let encoders: Encoders
    private var timeline: TimelineID?
    private var serverVersion = ""
    private var comparison: Comparison?
    /// Start of the first segment that this writer writes to.
    private var writtenFrom: UInt64 = 0
    /// The first error that a call has thrown: none succeeds after it.
    private var failure: TidemarkError?

    /// The open segment, and what its new chunks are compressed with.
    private var segment: PositionRange
    private var compression: Compression
    /// What the room told of its start; nil where nothing.
    private var segmentState: String?
    /// When its first byte came; for rotation by age.
    private var segmentBegan: MonotonicTime?
    /// Bytes of its content.
    private var segmentBytes: UInt64 = 0
    /// The newest place where a segment ruled by size may end.
    private var edge: (position: UInt64, state: String?)?
    /// The last entries are not whole yet.
    private var isInParts = false
    /// Commits of the open segment, and those among them that no chunk carries yet.
    private var index: SegmentIndex
    private var history: SegmentIndex
    /// The chunk being filled.
    private var chunk: Chunk?
    /// The chunk is durable as it is, but not in the segment's checksum yet.
    private var isUnhashed = false
    /// Full chunks that wait for the notes of their `append`.
    private var held: [Chunk] = []
    /// When the oldest byte that is not known to be durable came.
    private var unflushedSince: MonotonicTime?

    /// Full chunks that may wait for notes; more only come from one huge `append`.
    private static let heldLimit = 2

    /// A writer with its threads; nothing is read or written before `begin`.
    ///
    /// - Parameters:
    ///   - key: A segment's key without suffix; `.partial`, `.lz4` or `.gz` is added. All segments
    ///     of a timeline lie in one folder.
    ///   - attachKey: A document's key without suffix.
    /// - Throws: `failed` for a store that cannot append in place.
    package init(
        source: SourceID, kind: DatabaseKind, style: any PositionStyle, store: any ObjectStore,
        options: SegmentWriterOptions, time: any TimeSource,
        key: @escaping @Sendable (PositionRange) -> ObjectKey,
        attachKey: @escaping @Sendable (TimelineID, String) -> ObjectKey
    ) throws(TidemarkError) {
        guard let appending = store.appending else {
            throw TidemarkError(
                .failed, "\(store.url) cannot keep an open segment",
                remedy: "give repository.url a file:// place")
        }
        context = WriterContext(
            source: source, kind: kind, style: style, store: store, appending: appending, key: key,
            options: options, time: time)
        self.attachKey = attachKey
        pipeline = SegmentPipeline(context)
        encoders = Encoders(acceleration: options.acceleration)
        compression = options.compression
        segment = PositionRange(timeline: TimelineID(""), first: 0, last: 0)
        index = context.emptyIndex(from: 0)
        history = index
    }

    deinit { pipeline.close(abandoning: true) }

    /// Everything below this position is durable in the archive; never blocks.
    ///
    /// While re-sent bytes are compared it is the position compared so far. Call it (or `flush`)
    /// after every pull: it also sends full chunks on their way, and throws what a worker met.
    package func poll() throws(TidemarkError) -> UInt64 {
        hashFlushed()
        try submitHeld()
        let durable = try pipeline.poll()
        if durable >= received { unflushedSince = nil }
        return comparison == nil ? durable : received
    }

    /// Whether received bytes have waited for `flushInterval`.
    package func shouldFlush(_ now: MonotonicTime) -> Bool {
        guard let unflushedSince else { return false }
        return now.seconds(since: unflushedSince) >= context.options.flushInterval
    }

    /// Waits until every complete segment has its final name; for `mark`, shutdown and tests.
    package func settle() throws(TidemarkError) {
        try submitHeld()
        try pipeline.drain()
        try pipeline.settle()
    }

    /// Ends the threads and lets go of the files; idempotent. Flush first: what was not flushed is
    /// dropped here, and sent again by the source. Complete segments still get their names.
    ///
    /// - Parameter abandoning: Leaves everything at once as it is, as a crash would.
    package func close(abandoning: Bool = false) {
        if let chunk { pipeline.giveBack(chunk) }
        chunk = nil
        comparison?.close()
        comparison = nil
        pipeline.close(abandoning: abandoning)
    }
}

// MARK: timelines

extension SegmentWriter {
    /// Takes up the timeline of `opening`: repairs what a crash left, seals what is complete, and
    /// expects the first byte at `opening.start`.
    ///
    /// Returns where the archived bytes end, at or after that start; up to there they are compared.
    @discardableResult
    package func begin(_ opening: StreamOpening) throws(TidemarkError) -> UInt64 {
        precondition(timeline == nil, "a segment writer begins once")
        serverVersion = opening.serverVersion
        return try guarding { () throws(TidemarkError) in
            try begin(at: opening.start, opening.state)
        }
    }

    /// The timeline ended where the last byte was; the next bytes belong to `next`.
    ///
    /// Everything is durable on return. The old timeline's last segment stays under its open name
    /// when it is incomplete: what would complete it lies on a branch that has ended.
    @discardableResult
    package func endTimeline(next: Position) throws(TidemarkError) -> UInt64 {
        try flush()
        hashFlushed()
        return try guarding { () throws(TidemarkError) in
            comparison?.close()
            comparison = nil
            try pipeline.drain()
            try pipeline.tail.leave()
            return try begin(at: next, nil)
        }
    }

    private func begin(
        at position: Position, _ state: String?
    ) throws(TidemarkError) -> UInt64 {
        let start = try TimelineStart(
            position, serverVersion: serverVersion, context, encoders)
        timeline = position.timeline
        received = start.start
        segment =
            start.open?.range ?? context.openRange(position.timeline, start.archivedEnd)
        compression = start.open?.file.compression ?? context.options.compression
        index = start.open?.survey.index ?? context.emptyIndex(from: segment.first)
        history = context.emptyIndex(from: segment.first)
        writtenFrom = segment.first
        segmentBegan = start.open == nil ? nil : context.time.monotonic()
        segmentBytes = start.open?.survey.contentBytes ?? 0
        segmentState = start.open == nil ? state : start.open?.survey.state
        edge = nil
        try pipeline.drain()
        pipeline.tail.begin(
            previous: start.previous, serverVersion: serverVersion,
            file: start.open.map { ($0.range, $0.survey.state, $0.file) })
        if let open = start.open, open.range.first < start.start { try rehash(open.file) }
        pipeline.setDurable(start.start)
        if start.archivedEnd > start.start { comparison = Comparison(start, context) }
        return start.archivedEnd
    }
}

// MARK: the stream's calls

extension SegmentWriter {
    package func append(_ bytes: RawSpan, at first: UInt64) throws(TidemarkError) {
        precondition(timeline != nil, "a segment writer begins before bytes come")
        precondition(first == received, "a stream has no holes: \(first) after \(received)")
        try guarding { () throws(TidemarkError) in try take(bytes) }
    }

    package func append(
        _ entries: RawSpan, from first: UInt64, to last: UInt64
    ) throws(TidemarkError) {
        if context.style.countsBytes {
            precondition(
                last - first == UInt64(entries.byteCount), "positions of this stream count bytes")
            return try append(entries, at: first)
        }
        precondition(timeline != nil, "a segment writer begins before entries come")
        precondition(first == received, "a stream has no holes: \(first) after \(received)")
        precondition(last >= first, "an entry moves the position")
        try guarding { () throws(TidemarkError) in try take(entries, to: last) }
    }

    /// Entries that fit share a chunk; one that does not has its own, of which only the last
    /// ends at a position. So have those that come in parts.
    private func take(_ entries: RawSpan, to last: UInt64) throws(TidemarkError) {
        hashFlushed()
        try submitHeld()
        if last == received, !isInParts, let chunk, !chunk.content.isEmpty { try hold() }
        isInParts = last == received
        // Until they are whole the segment cannot end.
        if isInParts { edge = nil }
        if unflushedSince == nil { unflushedSince = context.time.monotonic() }
        let room = FrameLimit.content - (try currentChunk().content.count)
        if entries.byteCount > room, room < FrameLimit.content { try hold() }
        var from = 0
        while from < entries.byteCount {
            let chunk = try currentChunk()
            let part = min(entries.byteCount - from, FrameLimit.content - chunk.content.count)
            chunk.content.append(entries.extracting(from..<from + part))
            from += part
            segmentBytes += UInt64(part)
            if from == entries.byteCount, !isInParts {
                chunk.reach(last)
                received = last
            }
            if chunk.content.count == FrameLimit.content { try hold() }
        }
    }

    /// A segment that goes on in its middle: its checksum needs what is there already.
    private func rehash(_ file: OpenSegmentFile) throws(TidemarkError) {
        let frames = file.reader()
        while let item = try frames.next() {
            guard item == .content else { continue }
            try frames.content.withBytes { (bytes) throws(TidemarkError) in
                pipeline.tail.rehash(bytes)
            }
        }
    }

    private func take(_ bytes: RawSpan) throws(TidemarkError) {
        hashFlushed()
        try submitHeld()
        var from = try compare(bytes)
        if from < bytes.byteCount, unflushedSince == nil {
            unflushedSince = context.time.monotonic()
        }
        while from < bytes.byteCount {
            let chunk = try currentChunk()
            var part = min(bytes.byteCount - from, FrameLimit.content - chunk.content.count)
            if !segment.isEmpty { part = min(part, Int(clamping: segment.last - received)) }
            chunk.content.append(bytes.extracting(from..<from + part))
            from += part
            received += UInt64(part)
            segmentBytes += UInt64(part)
            if !segment.isEmpty, received == segment.last {
                try cut()
            } else if chunk.content.count == FrameLimit.content {
                try hold()
            }
        }
    }

    /// An entry belongs to the segment that holds its record's last byte, see `SegmentIndex`.
    package func note(_ entry: HistoryEntry) throws(TidemarkError) {
        if entry.isLate { context.options.late(entry) }
        for (place, chunk) in held.enumerated()
        where entry.last > chunk.first && entry.last <= chunk.end {
            chunk.history.add(entry)
            if let closing = held[place...].first(where: { $0.closing != nil }) {
                closing.closing?.add(entry)
            } else {
                index.add(entry)
            }
            return
        }
        // Below are re-sent bytes of sealed segments, whose footers know their commits.
        guard entry.last > writtenFrom else { return }
        if index.add(entry) { history.add(entry) }
    }

    package func edge(_ position: UInt64, state: String) throws(TidemarkError) {
        precondition(position == received, "an edge lies behind the last byte appended")
        guard case .size(let bytes, _) = context.options.rotation, comparison == nil else {
            return
        }
        edge = (position, state.isEmpty ? nil : state)
        guard received > segment.first, segmentBytes >= bytes || isTooOld else {
            return
        }
        try guarding { () throws(TidemarkError) in try cut() }
    }

    package func attach(
        _ name: String, timeline: TimelineID, _ bytes: [UInt8]
    ) throws(TidemarkError) {
        try TimelineDocument.put(
            context.store, attachKey(timeline, name), bytes, context.options.compression)
        try context.options.failpoint(.documentAttached)
    }

    /// Makes everything appended durable and returns its end.
    ///
    /// The checksum of the segment is left to `hashFlushed`: an acknowledgement does not wait for
    /// it.
    @discardableResult
    package func flush() throws(TidemarkError) -> UInt64 {
        try guarding { () throws(TidemarkError) in try writeOut() }
        pipeline.setDurable(received)
        unflushedSince = nil
        return received
    }

    /// Takes what the last `flush` wrote into the segment's checksum. Every call that goes on with
    /// the segment does it first.
    package func hashFlushed() {
        guard isUnhashed, let chunk else { return }
        isUnhashed = false
        pipeline.tail.hash(chunk)
        begin(chunk)
    }

    private func writeOut() throws(TidemarkError) {
        hashFlushed()
        try submitHeld()
        if let chunk, !chunk.content.isEmpty {
            try pipeline.drain()
            try chunk.encodeInline(&history, encoders)
            try pipeline.tail.write(
                chunk, isSmall: chunk.content.count < FrameLimit.content / 4, hashes: false)
            isUnhashed = true
            try pipeline.tail.sync()
        } else {
            try pipeline.drain()
            try pipeline.tail.sync()
        }
        if isTooOld, edge?.position == received {
            try cut()
            try submitHeld()
        }
    }

    /// After an error nothing may go on as if nothing had happened.
    private func guarding<R>(
        _ body: () throws(TidemarkError) -> R
    ) throws(TidemarkError) -> R {
        // The threads behind tell of it too, but not to a call that needs nothing of them.
        if let failure { throw failure }
        do {
            return try body()
        } catch {
            pipeline.fail(error)
            failure = error
            throw error
        }
    }
}

// MARK: chunks and cuts

extension SegmentWriter {
    /// Compares what the archive has; returns how many bytes that were.
    private func compare(_ bytes: RawSpan) throws(TidemarkError) -> Int {
        guard let comparison else { return 0 }
        let part = Int(min(UInt64(bytes.byteCount), comparison.end - received))
        let old = bytes.extracting(0..<part)
        try comparison.compare(old, at: received)
        if received + UInt64(part) > segment.first {
            let before = segment.first > received ? Int(segment.first - received) : 0
            pipeline.tail.rehash(old.extracting(before..<part))
        }
        received += UInt64(part)
        if received == comparison.end {
            comparison.close()
            self.comparison = nil
            pipeline.setDurable(received)
        }
        return part
    }

    private func currentChunk() throws(TidemarkError) -> Chunk {
        if let chunk {
            // After a flush the empty chunk stays, and the segment may have changed since.
            if chunk.content.isEmpty {
                begin(chunk)
            }
            return chunk
        }
        let fresh = try pipeline.takeChunk(segment, history)
        begin(fresh)
        chunk = fresh
        if segmentBegan == nil { segmentBegan = context.time.monotonic() }
        return fresh
    }

    private func begin(_ chunk: Chunk) {
        chunk.begin(
            received, segment, compression, segmentState, countsBytes: context.style.countsBytes)
    }

    /// Sets the current chunk aside until the notes of its `append` have come.
    private func hold() throws(TidemarkError) {
        guard let full = chunk else { return }
        if held.count >= Self.heldLimit { try submitHeld() }
        swap(&full.history, &history)
        history = context.emptyIndex(from: segment.first)
        held.append(full)
        chunk = nil
    }

    /// Ends the open segment at the last byte received.
    private func cut() throws(TidemarkError) {
        hashFlushed()
        let last = try currentChunk()
        try hold()
        last.closing = index.closed()
        segment = context.openRange(segment.timeline, received)
        segmentBytes = 0
        segmentState = edge?.state
        compression = context.options.compression
        index = context.emptyIndex(from: segment.first)
        history = index
        segmentBegan = nil
    }

    private var isTooOld: Bool {
        guard case .size(_, let age) = context.options.rotation, let segmentBegan,
            comparison == nil, received > segment.first
        else { return false }
        return context.time.monotonic().seconds(since: segmentBegan) >= age
    }

    private func submitHeld() throws(TidemarkError) {
        while !held.isEmpty { try pipeline.submit(held.removeFirst()) }
    }
}
