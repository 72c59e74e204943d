import Crypto
import Model

/// What a pass over an open segment found: how far it is whole, and what its notes say.
package struct SegmentSurvey: Sendable {
    /// Nil when the file holds no whole frame.
    package var compression: Compression?
    /// Content of the whole frames.
    package var contentBytes: UInt64 = 0
    /// Where the last whole content frame ends in the file; what follows is padding or torn.
    package var end: UInt64 = 0
    /// Where the content ends; nil where positions count bytes.
    package var position: UInt64?
    /// Whether the file ends there too, padding and notes apart; false where something is torn or
    /// damaged.
    package var isClean = true
    /// Where in the file a whole content frame follows although what is before it is not whole:
    /// what no crash leaves. Nil where nothing does, or it was not looked for.
    package var resumesAt: UInt64?
    /// Where the last whole frame ends: `end`, or behind it inside an entry.
    private var lastWhole: UInt64 = 0
    /// Number of content frames.
    package var frames = 0
    package var index: SegmentIndex
    /// What the room told of the segment's start; nil where nothing.
    package var state: String?
    /// SHA-256 of the content, lower-case hex; nil when it was not asked for.
    package var sha256: String?

    /// The position behind the content of a segment that starts at `first`.
    package func reach(from first: UInt64) -> UInt64 { position ?? first + contentBytes }

    /// Reads a file through `read`, up to the first byte that does not belong to a whole frame.
    ///
    /// Only an error of `read` is thrown: an open segment may end anywhere, since a crash tears its
    /// last write, and a frame that is not whole is as good as not written.
    static func scan(
        _ key: ObjectKey, index: SegmentIndex, hashing: Bool,
        read: @escaping (Int) throws(TidemarkError) -> [UInt8]
    ) throws(TidemarkError) -> SegmentSurvey {
        var survey = SegmentSurvey(index: index)
        var head = try read(4)
        while !head.isEmpty, head.count < 4 {
            let more = try read(4 - head.count)
            if more.isEmpty { break }
            head += more
        }
        var hash = SHA256()
        guard let compression = Compression(firstBytes: head) else {
            survey.isClean = head.isEmpty
            if hashing { survey.sha256 = hash.finalize().hex }
            return survey
        }
        survey.compression = compression
        let frames = FrameReader(key, compression, isOpen: true) { (limit) throws(TidemarkError) in
            guard head.isEmpty else {
                defer { head = [] }
                return head
            }
            return try read(limit)
        }
        var pending = index
        pending.removeAll()
        var place: UInt64?
        var torn = (bytes: UInt64(0), frames: 0)
        var whole = hash
        while let item = try survey.next(frames) {
            switch item {
            case .note(.history, let note): _ = HistoryNote.decode(note, into: &pending)
            case .note(.state, let text):
                if survey.contentBytes == 0 {
                    survey.state = String(decoding: text, as: UTF8.self)
                }
            case .note(.position, let note): place = PositionNote.decode(note)
            case .note(.footer, _), .note(.pad, _): break
            case .content:
                if hashing { hash.update(frames.content) }
                torn.bytes += UInt64(frames.content.count)
                torn.frames += 1
                survey.lastWhole = frames.boundary
                defer { place = nil }
                // A frame that ends inside an entry counts once the entry's last one is there.
                if place == 0 { continue }
                survey.contentBytes += torn.bytes
                survey.frames += torn.frames
                torn = (0, 0)
                survey.end = frames.boundary
                survey.position = place
                survey.index.add(pending)
                pending.removeAll()
                whole = hash
            }
        }
        if hashing { survey.sha256 = whole.finalize().hex }
        return survey
    }

    /// The next frame; nil at the end or where the file stops being whole.
    private mutating func next(_ frames: FrameReader) throws(TidemarkError) -> FrameItem? {
        do {
            if let item = try frames.next() { return item }
            isClean = !frames.endsInsideFrame
        } catch let error where error.code == .archiveDamaged {
            isClean = false
        }
        return nil
    }

    /// What frames behind the end may be.
    private var expected: [Compression] { compression.map { [$0] } ?? Compression.allCases }

    /// Looks for whole frames behind the end, where the file is not clean.
    ///
    /// - Parameter read: Up to so many bytes of the file at an offset; empty at its end.
    mutating func search(
        _ key: ObjectKey, read: @escaping (UInt64, Int) throws(TidemarkError) -> [UInt8]
    ) throws(TidemarkError) {
        if isClean { return }
        resumesAt = try FrameSearch.first(in: key, behind: lastWhole, expected, read: read)
    }
}

extension SHA256 {
    mutating func update(_ buffer: Buffer) {
        unsafe update(
            bufferPointer: UnsafeRawBufferPointer(start: buffer.base, count: buffer.count))
    }
}

extension SHA256.Digest {
    /// Lower-case hex.
    var hex: String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for byte in self { text += [digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
        return String(decoding: text, as: UTF8.self)
    }
}

extension SegmentSurvey {
    /// SHA-256 of a buffer, lower-case hex.
    static func sha256(of buffer: Buffer) -> String {
        var hash = SHA256()
        hash.update(buffer)
        return hash.finalize().hex
    }
}
