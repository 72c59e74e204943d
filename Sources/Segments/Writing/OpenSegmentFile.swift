import Model

/// The `.partial`: a growing row of frames, whole after every `sync`, however a crash tears its
/// end.
///
/// An fdatasync that changes a file's size costs twice as much as one that overwrites, since the
/// size has to be journalled. So once small flushes happen, an LZ4 file keeps a stretch of zeros
/// written ahead, inside a trailing skippable frame, and each flush overwrites its front:
///
/// ```
/// frame frame … frame | 50 2a 4d 18 length(4) 00 00 00 …     before
/// frame frame … frame | frame | 50 2a 4d 18 length(4) 00 …   after one write and one fdatasync
/// ```
///
/// At every durable moment the file is therefore valid LZ4. gzip has no frame to hold zeros, so its
/// files just grow. Owned by one thread at a time.
final class OpenSegmentFile {
    let key: ObjectKey
    /// What the frames in it are; found in the file, else as configured.
    let compression: Compression
    /// Where the next frame goes: behind the last whole one.
    private(set) var end: UInt64
    /// Content of all frames.
    private(set) var contentBytes: UInt64
    private(set) var frames: Int
    /// Whether everything written is durable.
    private(set) var isSynced = true
    private let file: any AppendableFile
    private let failpoint: FailpointHook
    /// Size of the file, zeros included.
    private var size: UInt64
    /// Up to where space was reserved.
    private var reserved: UInt64 = 0

    /// Zeros written ahead at a time.
    static let window = 256 << 10
    /// Space reserved ahead of large runs.
    private static let reserveBytes: UInt64 = 8 << 20
    /// Frames with less content than this, on average, make a file worth rewriting.
    private static let smallFrame: UInt64 = 64 << 10

    /// Opens or creates the file and cuts off what is not whole.
    ///
    /// - Parameters:
    ///   - hashing: Whether the survey needs the content's checksum.
    ///   - beforeCut: Called before anything is cut off; throwing leaves the file as it is.
    static func open(
        _ store: any AppendingStore, _ key: ObjectKey, _ preferred: Compression,
        index: SegmentIndex, hashing: Bool, failpoint: @escaping FailpointHook,
        beforeCut: (any AppendableFile, SegmentSurvey) throws(TidemarkError) -> Void = {
            (_, _) throws(TidemarkError) in
        }
    ) throws(TidemarkError) -> (file: OpenSegmentFile, survey: SegmentSurvey) {
        let file = try store.openAppendable(key)
        do {
            let survey = try scan(file, key, index: index, hashing: hashing)
            try beforeCut(file, survey)
            if survey.end != file.size {
                try file.truncate(survey.end)
                try file.sync()
                try failpoint(.tailRepaired)
            } else if survey.end > 0 {
                // A crash may have left whole frames that are not durable yet.
                try file.sync()
            }
            let open = OpenSegmentFile(
                file, key, survey.compression ?? preferred, survey, failpoint)
            return (open, survey)
        } catch {
            file.close()
            throw error
        }
    }

    private static func scan(
        _ file: any AppendableFile, _ key: ObjectKey, index: SegmentIndex, hashing: Bool
    ) throws(TidemarkError) -> SegmentSurvey {
        var offset: UInt64 = 0
        var survey = try SegmentSurvey.scan(key, index: index, hashing: hashing) {
            (limit) throws(TidemarkError) in
            let bytes = try file.read(at: offset, limit)
            offset += UInt64(bytes.count)
            return bytes
        }
        try survey.search(key) { (offset, limit) throws(TidemarkError) in
            try file.read(at: offset, limit)
        }
        return survey
    }

    private init(
        _ file: any AppendableFile, _ key: ObjectKey, _ compression: Compression,
        _ survey: SegmentSurvey, _ failpoint: @escaping FailpointHook
    ) {
        self.file = file
        self.key = key
        self.compression = compression
        self.failpoint = failpoint
        end = survey.end
        size = survey.end
        contentBytes = survey.contentBytes
        frames = survey.frames
    }

    /// Whether so much small flushing made it compress badly.
    var isWorthRewriting: Bool {
        frames > 1 && contentBytes < UInt64(frames) * Self.smallFrame
    }

    /// Reads the whole frames from the start; nothing may be appended meanwhile.
    func reader() -> FrameReader {
        var offset: UInt64 = 0
        return FrameReader(key, compression) { [self] (limit) throws(TidemarkError) in
            let bytes = try file.read(at: offset, min(limit, Int(clamping: end - offset)))
            offset += UInt64(bytes.count)
            return bytes
        }
    }

    /// Writes one content frame with the notes before it. Not durable before `sync`.
    ///
    /// - Parameters:
    ///   - buffer: The encoded bytes; padding may be added behind them.
    ///   - content: How much content the frame holds.
    ///   - isSmall: Whether more small flushes are to be expected.
    func append(_ buffer: Buffer, content: Int, isSmall: Bool) throws(TidemarkError) {
        let after = end + UInt64(buffer.count)
        var newSize = max(size, after)
        if compression == .lz4, after != size {
            newSize = pad(buffer, after: after, isSmall: isSmall)
        }
        if newSize > reserved, !isSmall {
            file.reserve(Self.reserveBytes)
            reserved = newSize + Self.reserveBytes
        }
        isSynced = false
        try buffer.withBytes { (bytes) throws(TidemarkError) in
            try file.write(at: end, bytes)
        }
        size = newSize
        end = after
        contentBytes += UInt64(content)
        frames += 1
        try failpoint(.frameWritten)
    }

    /// Adds the header of the zeros that stay, or new zeros; returns the size of the file then.
    private func pad(_ buffer: Buffer, after: UInt64, isSmall: Bool) -> UInt64 {
        let header = UInt64(LZ4Format.skippableHeader)
        let magic = LZ4Format.skippableMagic + UInt32(NoteTag.pad.rawValue)
        if after + header <= size {
            buffer.append(littleEndian: magic)
            buffer.append(littleEndian: UInt32(size - after - header))
            return size
        }
        // A remnant too short for a header gets a longer one, so that nothing loose is left.
        guard isSmall || after < size else { return after }
        let zeros = isSmall ? Self.window - LZ4Format.skippableHeader : 0
        buffer.append(littleEndian: magic)
        buffer.append(littleEndian: UInt32(zeros))
        buffer.append(zeros: zeros)
        return after + header + UInt64(zeros)
    }

    func sync() throws(TidemarkError) {
        guard !isSynced else { return }
        try file.sync()
        isSynced = true
        try failpoint(.frameSynced)
    }

    /// Leaves the file under its open name, without zeros at its end.
    func leave() throws(TidemarkError) {
        defer { file.close() }
        if size > end {
            try file.truncate(end)
            size = end
            isSynced = false
        }
        try sync()
    }

    /// Appends the footer and gives the file its final name; closed afterwards.
    func seal(_ footer: [UInt8], as sealed: ObjectKey) throws(TidemarkError) {
        // Also gives back what was reserved behind the end.
        try file.truncate(end)
        let bytes = Buffer(capacity: footer.count)
        bytes.append(footer)
        try bytes.withBytes { (span) throws(TidemarkError) in try file.write(at: end, span) }
        try failpoint(.footerWritten)
        try file.seal(as: sealed)
        try failpoint(.segmentSealed)
    }

    func discard() throws(TidemarkError) {
        try file.discard()
        try failpoint(.leftoverDiscarded)
    }

    func close() { file.close() }
}
