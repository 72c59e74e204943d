import Crypto
import Model

/// The writing end of a timeline: hashes chunks in order, appends them, makes them durable.
///
/// Belongs to one thread at a time: to the writing worker while chunks are in flight, to the stream
/// thread otherwise (`SegmentPipeline.drain`).
final class SegmentTail: @unchecked Sendable {
    // @unchecked: one owner at a time; ownership changes hands under the pipeline's progress lock.
    private let context: WriterContext
    private var open: OpenPart?
    /// SHA-256 of the newest complete segment of the timeline; nil when there is none before.
    private var previous: String?
    private var serverVersion = ""

    /// The open segment.
    struct OpenPart {
        var range: PositionRange
        var state: String?
        var file: OpenSegmentFile
        var hash = SHA256()
    }

    init(_ context: WriterContext) { self.context = context }

    /// Starts a timeline; `file` is the open segment that is continued.
    ///
    /// Its content has to pass through `rehash` before anything is written.
    func begin(
        previous: String?, serverVersion: String, file: (PositionRange, String?, OpenSegmentFile)?
    ) {
        precondition(open == nil, "a timeline begins with nothing open")
        self.previous = previous
        self.serverVersion = serverVersion
        open = file.map { OpenPart(range: $0.0, state: $0.1, file: $0.2) }
    }

    /// Takes content that the continued segment already holds into its checksum.
    func rehash(_ bytes: RawSpan) {
        unsafe bytes.withUnsafeBytes { unsafe open?.hash.update(bufferPointer: $0) }
    }

    var isSynced: Bool { open?.file.isSynced ?? true }

    /// Writes an encoded chunk. Not durable before `sync`.
    ///
    /// - Parameter hashes: False leaves it to `hash`, before anything else is written.
    func write(
        _ chunk: Chunk, isSmall: Bool, hashes: Bool = true
    ) throws(TidemarkError) {
        if chunk.content.isEmpty { return }
        if open == nil { try create(chunk.segment, chunk.state) }
        guard open?.range == chunk.segment else {
            preconditionFailure("a chunk belongs to the open segment")
        }
        if hashes { hash(chunk) }
        try open?.file.append(chunk.frame, content: chunk.content.count, isSmall: isSmall)
    }

    /// Takes a chunk's content into the open segment's checksum.
    func hash(_ chunk: Chunk) { open?.hash.update(chunk.content) }

    private func create(_ range: PositionRange, _ state: String?) throws(TidemarkError) {
        let (file, survey) = try context.openFile(range, hashing: false)
        guard survey.contentBytes == 0 else {
            file.close()
            throw TidemarkError(
                .contentConflict,
                "\(file.key) holds bytes, but what comes before it is not archived",
                remedy: "move this file away; \(context.source) sends its bytes again")
        }
        open = OpenPart(range: range, state: state, file: file)
        try context.options.failpoint(.segmentCreated)
    }

    func sync() throws(TidemarkError) { try open?.file.sync() }

    /// Ends the open segment at `last`: durable, and everything known that its footer needs.
    func finish(at last: UInt64, _ index: SegmentIndex) throws(TidemarkError) -> ClosedSegment {
        guard let part = open else { preconditionFailure("only an open segment is finished") }
        try part.file.sync()
        open = nil
        let range = PositionRange(
            timeline: part.range.timeline, first: part.range.first, last: last)
        let closed = ClosedSegment(
            part.file, range, index, sha256: part.hash.finalize().hex, previous: previous,
            serverVersion: serverVersion, state: part.state, context)
        previous = closed.descriptor.sha256
        try context.options.failpoint(.contentComplete)
        return closed
    }

    /// The timeline ends here: its incomplete segment stays under its open name.
    func leave() throws(TidemarkError) {
        defer { open = nil }
        try open?.file.leave()
    }

    /// Lets go of the file, whatever its state.
    func close() {
        open?.file.close()
        open = nil
    }
}
