import Crypto
package import Model

/// Reads one segment, sealed or open. Blocking; owned by one thread.
///
/// Of a sealed segment every byte is verified: each frame by its checksum before it is handed out,
/// and at the end the length and the SHA-256 of the whole, when it was read whole. Any damage is
/// `archiveDamaged`, naming the file and the offset.
///
/// An open segment (`.partial`) ends at its last whole frame, wherever the writer or a crash has
/// left off behind it; where positions do not count bytes, at the last frame that ends an entry, as
/// `survey` has it: whoever goes on behind it must not have seen what is cut off there, and half a
/// transaction is none. That what was acknowledged is there is for the caller to check.
package final class SegmentReader {
    package let key: ObjectKey
    /// False for an open segment.
    package let isSealed: Bool
    /// The footer; nil for an open segment, see `survey`.
    package let descriptor: SegmentDescriptor?
    /// Nil for an open segment that holds nothing yet.
    package let compression: Compression?
    /// Content bytes handed out or skipped so far.
    package private(set) var position: UInt64 = 0
    private let store: any ObjectStore
    private let object: any ObjectReader
    let frames: FrameReader?
    private var hash: SHA256?
    private var skipping: UInt64 = 0
    /// Content of an open segment that is known to belong to whole entries.
    private var wholeBytes: UInt64 = 0
    private var isAtEnd = false
    /// Whether an open segment was read to a place that is torn or damaged, instead of its end.
    package internal(set) var endsTorn = false

    /// Opens a segment and reads its footer. Throws `notFound`, `archiveDamaged`.
    package init(_ store: any ObjectStore, _ key: ObjectKey) throws(TidemarkError) {
        self.store = store
        self.key = key
        if let compression = Compression(suffixOf: key.name) {
            let (descriptor, length) = try Self.footer(store, key, compression)
            self.descriptor = descriptor
            self.compression = compression
            isSealed = true
            let object = try store.open(key, at: 0)
            self.object = object
            frames = Self.frames(object, key, compression, length: length)
            hash = SHA256()
        } else {
            descriptor = nil
            isSealed = false
            let object = try store.open(key, at: 0)
            self.object = object
            let head = try Self.head(object)
            compression = Compression(firstBytes: head)
            frames = compression.map { Self.frames(object, key, $0, head: head, isOpen: true) }
            endsTorn = compression == nil && !head.isEmpty
        }
    }

    package func close() { object.close() }

    /// Reading starts at this content byte; to be called before the first `read`. Whole frames are
    /// passed over, still verified.
    package func skip(to position: UInt64) {
        precondition(self.position == 0, "skip comes before reading")
        skipping = position
        if position > 0 { hash = nil }
    }

    /// Lends the next content, at most 1 MiB, to `body`; false at the end.
    package func read(
        _ body: (RawSpan) throws(TidemarkError) -> Void
    ) throws(TidemarkError) -> Bool {
        while try nextFrame() {
            let content = try currentContent()
            let start = position - UInt64(content.count)
            guard skipping < position else { continue }
            let from = skipping > start ? Int(skipping - start) : 0
            try content.withBytes(from..<content.count, body)
            return true
        }
        return false
    }

    /// Reads to the end, which verifies a sealed segment.
    package func verify() throws(TidemarkError) {
        while try read({ (_) in }) {}
    }

    /// All of the content from here on; for segments known to be small enough.
    package func readAll() throws(TidemarkError) -> [UInt8] {
        var all: [UInt8] = []
        if let bytes = descriptor?.bytes { all.reserveCapacity(Int(bytes)) }
        while try read({ (bytes) in all.append(bytes, 0..<bytes.byteCount) }) {}
        return all
    }

    /// How far an open segment goes, which commits its notes know, and whether whole frames follow
    /// a place that is not whole.
    ///
    /// A sidecar may be writing: what was half written when it was read is whole when it is read
    /// again after what follows it was seen.
    ///
    /// - Parameters:
    ///   - first: Where the segment starts, from its name.
    ///   - bytes: How long it may become; 0 when its name does not tell.
    package static func survey(
        _ store: any ObjectStore, _ key: ObjectKey, first: UInt64, bytes: UInt64
    ) throws(TidemarkError) -> SegmentSurvey {
        var survey = try scan(store, key, first: first, bytes: bytes)
        for _ in 0..<surveyLimit {
            try survey.search(key) { (offset, limit) throws(TidemarkError) in
                try Self.bytes(store, key, from: offset, count: limit)
            }
            guard let resumesAt = survey.resumesAt else { return survey }
            var again = try scan(store, key, first: first, bytes: bytes)
            again.resumesAt = again.isClean ? nil : resumesAt
            if again.contentBytes == survey.contentBytes { return again }
            survey = again
        }
        return survey
    }

    /// Passes over an open segment that is being written, before the last one is believed.
    private static let surveyLimit = 5

    private static func scan(
        _ store: any ObjectStore, _ key: ObjectKey, first: UInt64, bytes: UInt64
    ) throws(TidemarkError) -> SegmentSurvey {
        let object = try store.open(key, at: 0)
        defer { object.close() }
        return try SegmentSurvey.scan(
            key,
            index: bytes == 0
                ? SegmentIndex(first: first) : SegmentIndex(first: first, bytes: bytes),
            // Only who goes on writing needs it.
            hashing: false
        ) { (limit) throws(TidemarkError) in try object.read(limit) }
    }

    // MARK: frames

    /// The frame that `nextFrame` stepped to.
    func currentContent() throws(TidemarkError) -> Buffer {
        guard let frames else { preconditionFailure("an empty segment has no frame") }
        return frames.content
    }

    /// Steps to the next content frame; false at the end, which a sealed segment must justify.
    func nextFrame() throws(TidemarkError) -> Bool {
        guard let frames, !isAtEnd else { return false }
        var place: UInt64?
        do {
            while let item = try frames.next() {
                if case .note(.position, let note) = item { place = PositionNote.decode(note) }
                guard item == .content else { continue }
                let end = position + UInt64(frames.content.count)
                if !isSealed, place == 0, try !isWhole(end) { break }
                hash?.update(frames.content)
                position = end
                return true
            }
        } catch let error where error.code == .archiveDamaged && !isSealed {
            isAtEnd = true
            endsTorn = true
            return false
        }
        isAtEnd = true
        if !isSealed { endsTorn = frames.endsInsideFrame }
        if let descriptor { try checkEnd(frames, descriptor) }
        return false
    }

    /// Whether the entry that goes on behind this content byte is whole: looks ahead, once for all
    /// frames that are there by then.
    private func isWhole(_ end: UInt64) throws(TidemarkError) -> Bool {
        if end <= wholeBytes { return true }
        do {
            wholeBytes = try Self.scan(store, key, first: 0, bytes: 0).contentBytes
        } catch let error where error.code == .notFound {
            // Sealed meanwhile: what is complete has its other name.
            wholeBytes = .max
        }
        return end <= wholeBytes
    }

    private func checkEnd(
        _ frames: FrameReader, _ descriptor: SegmentDescriptor
    ) throws(TidemarkError) {
        guard !frames.endsInsideFrame else {
            throw Damage.error(key, at: frames.boundary, "a frame is cut short by the footer")
        }
        guard position == descriptor.bytes else {
            throw Damage.error(
                key, at: frames.boundary,
                "it holds \(position) bytes instead of \(descriptor.bytes)")
        }
        if let hash, hash.finalize().hex != descriptor.sha256 {
            throw Damage.error(key, at: 0, "its content has another SHA-256 than its footer says")
        }
    }

    private static func frames(
        _ object: any ObjectReader, _ key: ObjectKey, _ compression: Compression,
        length: UInt64 = .max, head: [UInt8] = [], isOpen: Bool = false
    ) -> FrameReader {
        var head = head
        var left = length
        return FrameReader(key, compression, isOpen: isOpen) { (limit) throws(TidemarkError) in
            guard head.isEmpty else {
                defer { head = [] }
                return head
            }
            guard left > 0 else { return [] }
            let bytes = try object.read(min(limit, Int(clamping: left)))
            left -= UInt64(bytes.count)
            return bytes
        }
    }

    private static func head(_ object: any ObjectReader) throws(TidemarkError) -> [UInt8] {
        var head: [UInt8] = []
        while head.count < 4 {
            let more = try object.read(4 - head.count)
            if more.isEmpty { break }
            head += more
        }
        return head
    }

    /// What the footer of a sealed segment says; one small read at its end. A file that was cut
    /// short has none. Throws `notFound`, `archiveDamaged`.
    package static func footer(
        _ store: any ObjectStore, _ key: ObjectKey
    ) throws(TidemarkError) -> SegmentDescriptor {
        guard let compression = Compression(suffixOf: key.name) else { throw noFooter(key, at: 0) }
        return try footer(store, key, compression).0
    }

    /// Finds the footer from the end of the file; also returns how long the content frames are.
    private static func footer(
        _ store: any ObjectStore, _ key: ObjectKey, _ compression: Compression
    ) throws(TidemarkError) -> (SegmentDescriptor, length: UInt64) {
        let (json, length) = try footerJSON(store, key, compression)
        guard let descriptor = SegmentFooter.descriptor(json),
            descriptor.first <= descriptor.last
        else { throw noFooter(key, at: length) }
        return (descriptor, length)
    }

    /// The JSON of the footer, which starts at `length`.
    static func footerJSON(
        _ store: any ObjectStore, _ key: ObjectKey, _ compression: Compression
    ) throws(TidemarkError) -> (json: [UInt8], length: UInt64) {
        guard let size = try store.size(key) else {
            throw TidemarkError(.notFound, "\(key) is not in the archive")
        }
        var wanted = SegmentFooter.firstRead
        while true {
            let length = Int(min(UInt64(wanted), size))
            let tail = try bytes(store, key, from: size - UInt64(length), count: length)
            switch SegmentFooter.find(end: tail, compression) {
            case .json(let json, let footer): return (json, size - UInt64(footer))
            case .needs(let more) where UInt64(length) < size && more > wanted:
                wanted = more
                continue
            case .needs, .none: throw noFooter(key, at: size)
            }
        }
    }

    static func noFooter(_ key: ObjectKey, at offset: UInt64) -> TidemarkError {
        Damage.error(key, at: offset, "no readable footer ends there")
    }

    private static func bytes(
        _ store: any ObjectStore, _ key: ObjectKey, from offset: UInt64, count: Int
    ) throws(TidemarkError) -> [UInt8] {
        let object = try store.open(key, at: offset)
        defer { object.close() }
        var bytes: [UInt8] = []
        while bytes.count < count {
            let more = try object.read(count - bytes.count)
            if more.isEmpty { break }
            bytes += more
        }
        return bytes
    }
}
