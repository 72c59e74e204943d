import Model

/// What the threads of a base backup agree on; pure, changed only under the pipeline's monitor.
///
/// The reader numbers the pieces, workers encode them in any order, the writer takes them by
/// number. Memory is bounded twice: by the chunks of the pool, and by the pieces between reader and
/// writer. The first failure of any thread ends all of them.
struct PipelineState {
    /// Content of one file, at most a chunk long.
    struct Piece {
        var number: UInt64
        var chunk: BackupChunk
        var file: BaseBackupFile
        /// Nothing of this file follows.
        var endsFile: Bool
    }

    /// An encoded piece, waiting for its turn.
    struct Encoded {
        var bytes: [UInt8]
        var contentBytes: Int
        var file: BaseBackupFile
        var endsFile: Bool
    }

    /// What a thread does next.
    enum Turn<Work> {
        case work(Work)
        case ended
    }

    private var free: [BackupChunk]
    private let inFlightLimit: UInt64
    private var waiting: [Piece] = []
    private var encoded: [UInt64: Encoded] = [:]
    private var submitted: UInt64 = 0
    private var taken: UInt64 = 0
    private var isClosed = false
    /// Stored so far, for the progress.
    var storedBytes: UInt64 = 0
    private(set) var failure: TidemarkError?

    init(chunks: Int, inFlight: Int) {
        precondition(chunks > 1 && inFlight > 0, "a pipeline needs chunks to fill and room to pass")
        free = (0..<chunks).map { _ in BackupChunk() }
        inFlightLimit = UInt64(inFlight)
    }

    /// The first failure is the cause; later ones are its echo.
    mutating func fail(_ error: TidemarkError) {
        if failure == nil { failure = error }
        waiting = []
        encoded = [:]
    }

    /// For the reader: an empty chunk; nil while it has to wait, `ended` after a failure.
    mutating func takeChunk() -> Turn<BackupChunk>? {
        if failure != nil { return .ended }
        guard submitted - taken < inFlightLimit, let chunk = free.popLast() else { return nil }
        return .work(chunk)
    }

    mutating func submit(_ chunk: BackupChunk, of file: BaseBackupFile, endsFile: Bool) {
        precondition(!isClosed, "nothing follows the end of a base backup")
        guard failure == nil else { return }
        waiting.append(Piece(number: submitted, chunk: chunk, file: file, endsFile: endsFile))
        submitted += 1
    }

    /// For the reader: no more pieces.
    mutating func close() { isClosed = true }

    /// For a worker: the oldest piece nobody has taken; nil while there is none yet.
    mutating func takePiece() -> Turn<Piece>? {
        if failure != nil { return .ended }
        if !waiting.isEmpty { return .work(waiting.removeFirst()) }
        return isClosed ? .ended : nil
    }

    mutating func deliver(_ bytes: [UInt8], of piece: Piece) {
        guard failure == nil else { return }
        let contentBytes = piece.chunk.count
        piece.chunk.clear()
        free.append(piece.chunk)
        encoded[piece.number] = Encoded(
            bytes: bytes, contentBytes: contentBytes, file: piece.file, endsFile: piece.endsFile)
    }

    /// For the writer: the next piece in order; nil while it is not encoded yet.
    mutating func takeEncoded() -> Turn<Encoded>? {
        if failure != nil { return .ended }
        if let next = encoded.removeValue(forKey: taken) {
            taken += 1
            return .work(next)
        }
        return isClosed && taken == submitted ? .ended : nil
    }
}
