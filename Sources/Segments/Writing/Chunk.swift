import Model

/// Up to 1 MiB of content on its way into a segment; reused.
///
/// The chunk's fields are set by the stream thread, `frame` by whoever compresses it.
final class Chunk: @unchecked Sendable {
    // @unchecked: one owner at a time; the queues it travels through hand it over under their lock.
    let content = Buffer(capacity: FrameLimit.content)
    /// Notes and the content frame, encoded.
    let frame = Buffer(capacity: FrameLimit.content + (64 << 10))
    /// Position of the first content byte.
    var first: UInt64 = 0
    /// The position behind its content where positions do not count bytes: `first` while it ends
    /// inside an entry. Nil where they do.
    private(set) var reached: UInt64?
    /// The segment it belongs to.
    var segment: PositionRange
    var compression = Compression.lz4
    /// What the room told of the segment's start; nil where nothing.
    var state: String?
    /// Commits that end in it.
    var history: SegmentIndex
    /// Set on the last chunk of a segment: the index of the whole segment.
    var closing: SegmentIndex?

    init(segment: PositionRange, history: SegmentIndex) {
        self.segment = segment
        self.history = history
    }

    var end: UInt64 { reached ?? first + UInt64(content.count) }

    func begin(
        _ first: UInt64, _ segment: PositionRange, _ compression: Compression, _ state: String?,
        countsBytes: Bool
    ) {
        self.first = first
        reached = countsBytes ? nil : first
        self.segment = segment
        self.compression = compression
        self.state = state
        closing = nil
        content.removeAll()
        frame.removeAll()
    }

    /// The last byte of its content ends an entry; `last` is the position behind it.
    func reach(_ last: UInt64) {
        precondition(reached != nil, "a chunk's end is told where positions do not count bytes")
        reached = last
    }

    /// Encodes notes and content into `frame`. A closing chunk may be empty.
    func encode(_ encoders: Encoders) throws(TidemarkError) {
        frame.removeAll()
        guard !content.isEmpty else { return }
        let encoder = encoders.encoder(compression)
        if first == segment.first, let state {
            encoder.note(.state, Array(state.utf8), into: frame)
        }
        if let reached {
            let note = PositionNote.encode(reached > first ? reached : nil)
            encoder.note(.position, note, into: frame)
        }
        if !history.isEmpty {
            HistoryNote.encode(history, encoders.scratch) { note in
                encoder.note(.history, note, into: frame)
            }
        }
        try content.withBytes { (bytes) throws(TidemarkError) in
            encoder.encode(bytes, into: frame)
        }
    }
}

/// The encoders of one thread, made when first needed.
final class Encoders {
    /// For a note that is being put together.
    let scratch = Buffer(capacity: 1 << 10)
    private lazy var lz4 = Compression.lz4.encoder(acceleration: acceleration)
    private lazy var gzip = Compression.gzip.encoder(acceleration: acceleration)
    private let acceleration: Int32

    init(acceleration: Int32) { self.acceleration = acceleration }

    func encoder(_ compression: Compression) -> any FrameEncoder {
        switch compression {
        case .lz4: lz4
        case .gzip: gzip
        }
    }
}

extension Chunk {
    /// As `encode`, with the commits noted since the last chunk, which are then forgotten.
    func encodeInline(
        _ recent: inout SegmentIndex, _ encoders: Encoders
    ) throws(TidemarkError) {
        swap(&history, &recent)
        defer {
            swap(&history, &recent)
            recent.removeAll()
        }
        try encode(encoders)
    }
}
