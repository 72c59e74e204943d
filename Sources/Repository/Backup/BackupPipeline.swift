import Model
import Platform
import Segments

/// Compresses and stores a base backup while it is being read.
///
/// The reading thread copies what the source sends into pooled chunks; workers make one
/// self-contained compressed piece of each; one writer thread hashes and stores the pieces in
/// order, an object per file. The writer is apart so that a slow store never stops compression, and
/// reading waits only when every chunk is in use.
final class BackupPipeline: BaseBackupSink {
    /// What the threads need to know; values only.
    struct Plan: Sendable {
        var store: any ObjectStore
        var folder: ObjectKey
        var compression: Compression
        var acceleration: Int32
        var workers: Int
    }

    /// Called about once a mebibyte on the reading thread; it throws to end the backup.
    typealias Report = (_ bytes: UInt64, _ storedBytes: UInt64) throws(TidemarkError) -> Void

    private let state: Monitor<PipelineState>
    private let workers: [DedicatedThread<Void>]
    private let writer: DedicatedThread<[StoredFile]>
    private let report: Report
    private var file: BaseBackupFile?
    private var chunk: BackupChunk?
    private(set) var bytes: UInt64 = 0

    /// Starts the threads; call `finish` or `abort` afterwards, whatever happens.
    init(_ plan: Plan, report: @escaping Report) {
        let state = Monitor(
            PipelineState(chunks: 2 * plan.workers + 2, inFlight: 4 * plan.workers + 4))
        self.state = state
        self.report = report
        workers = (0..<plan.workers).map { number in
            DedicatedThread("backup-lz-\(number)") { () throws(TidemarkError) in
                try Self.failing(state) { () throws(TidemarkError) in
                    try Self.encode(state, plan)
                }
            }
        }
        writer = DedicatedThread("backup-write") { () throws(TidemarkError) in
            try Self.failing(state) { () throws(TidemarkError) in
                try PipelineWriter(plan).run(state)
            }
        }
    }

    // MARK: reading thread

    func begin(_ file: BaseBackupFile) throws(TidemarkError) {
        try endFile()
        self.file = file
        chunk = try takeChunk()
    }

    func append(_ bytes: RawSpan) throws(TidemarkError) {
        var offset = 0
        while offset < bytes.byteCount {
            // A full chunk stays until more comes: the last one of a file is marked as the last.
            if let full = chunk, full.isFull { try passOn(full, endsFile: false) }
            guard let chunk else { preconditionFailure("content came before its file") }
            offset += chunk.fill(from: bytes, at: offset)
        }
        self.bytes += UInt64(bytes.byteCount)
    }

    /// Waits until everything is durable; the files in the order they came.
    func finish() throws(TidemarkError) -> [StoredFile] {
        do throws(TidemarkError) {
            try endFile()
            state.update { $0.close() }
            let files = try writer.join()
            for worker in workers { try worker.join() }
            return files
        } catch {
            throw abort(error)
        }
    }

    /// Ends the threads and throws away what is unfinished; returns the error that came first.
    func abort(_ error: TidemarkError) -> TidemarkError {
        state.update { $0.fail(error) }
        // Each thread's own error, if any, is the recorded one or came after it.
        for worker in workers { _ = try? worker.join() }
        _ = try? writer.join()
        return state.read { $0.failure } ?? error
    }

    private func endFile() throws(TidemarkError) {
        guard let file, let chunk else { return }
        state.update { $0.submit(chunk, of: file, endsFile: true) }
        self.chunk = nil
        self.file = nil
    }

    private func passOn(_ full: BackupChunk, endsFile: Bool) throws(TidemarkError) {
        guard let file else { preconditionFailure("a chunk belongs to a file") }
        chunk = nil
        let storedBytes = state.update { state in
            state.submit(full, of: file, endsFile: endsFile)
            return state.storedBytes
        }
        try report(bytes, storedBytes)
        chunk = try takeChunk()
    }

    private func takeChunk() throws(TidemarkError) -> BackupChunk {
        switch state.wait({ $0.takeChunk() }) {
        case .work(let chunk): return chunk
        case .ended, nil:
            throw state.read { $0.failure }
                ?? TidemarkError(.cancelled, "the base backup was ended")
        }
    }

    // MARK: workers

    private static func encode(
        _ state: Monitor<PipelineState>, _ plan: Plan
    ) throws(TidemarkError) {
        let encoder = plan.compression.encoder(acceleration: plan.acceleration)
        let output = Buffer(capacity: BackupChunk.capacity + (64 << 10))
        while case .work(let piece)? = state.wait({ $0.takePiece() }) {
            output.removeAll()
            if piece.chunk.count > 0 {
                unsafe encoder.encode(piece.chunk.bytes.bytes, into: output)
            } else {
                // An empty file is a file of the format too: one that holds only a note.
                encoder.note(.footer, [], into: output)
            }
            let encoded = output.array
            state.update { $0.deliver(encoded, of: piece) }
        }
    }

    /// An error of one thread becomes the end of all.
    private static func failing<R>(
        _ state: Monitor<PipelineState>, _ body: () throws(TidemarkError) -> R
    ) throws(TidemarkError) -> R {
        do throws(TidemarkError) {
            return try body()
        } catch {
            state.update { $0.fail(error) }
            throw error
        }
    }
}
