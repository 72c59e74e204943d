import Model
import Platform

/// Two worker threads behind the stream thread: one compresses full chunks, one hashes, writes and
/// syncs them in order. The pool of chunks is the back-pressure.
///
/// ```
/// stream thread ──chunk──▶ tm-compress ──frame──▶ tm-write ──complete segment──▶ tm-seal
///       ▲                                            │
///       └───────────────── empty chunk ──────────────┘
/// ```
///
/// The tail belongs to the writing thread while chunks are in flight; `drain` hands it to the
/// stream thread, `submit` gives it back. The first failure stops all work: chunks then only
/// circulate, and every call of the stream thread throws that failure.
final class SegmentPipeline: Sendable {
    private struct Queue {
        var chunks: [Chunk] = []
        var isClosed = false
    }

    private struct Pool {
        var free: [Chunk] = []
        var made = 0
    }

    let tail: SegmentTail
    private let options: SegmentWriterOptions
    private let progress: PipelineProgress
    private let compressing = Monitor(Queue())
    private let writing = Monitor(Queue())
    private let pool = Monitor(Pool())
    private let sealer: SegmentSealer
    private let threads: Monitor<[DedicatedThread<Void>]>

    /// How long written bytes may stay unsynced when no further chunk comes, in seconds.
    private static let idleSync = 0.05

    init(_ context: WriterContext) {
        let progress = PipelineProgress()
        let options = context.options
        self.progress = progress
        self.options = options
        tail = SegmentTail(context)
        threads = Monitor([])
        sealer = SegmentSealer(acceleration: options.acceleration) { error in
            progress.fail(error)
            options.wake()
        }
        threads.update { threads in
            threads = [
                DedicatedThread("tm-compress") { [self] () throws(TidemarkError) in compress() },
                DedicatedThread("tm-write") { [self] () throws(TidemarkError) in write() },
            ]
        }
    }

    // MARK: the stream thread's side

    /// What is durable so far; throws what a worker met.
    func poll() throws(TidemarkError) -> UInt64 { try progress.poll() }

    /// The stream thread made more durable itself, or a timeline begins.
    func setDurable(_ durable: UInt64) { progress.setDurable(durable) }

    /// The stream thread met an error: nothing goes on after it.
    func fail(_ error: TidemarkError) { progress.fail(error) }

    /// An empty chunk; waits for one when all are in flight.
    func takeChunk(
        _ segment: PositionRange, _ index: SegmentIndex
    ) throws(TidemarkError) -> Chunk {
        _ = try poll()
        let limit = max(options.chunks, 2)
        let chunk: Chunk? = pool.wait { pool in
            if let chunk = pool.free.popLast() { return chunk }
            guard pool.made < limit else { return nil }
            pool.made += 1
            return Chunk(segment: segment, history: index)
        }
        guard let chunk else { preconditionFailure("an unlimited wait ended") }
        return chunk
    }

    func giveBack(_ chunk: Chunk) { pool.update { $0.free.append(chunk) } }

    func submit(_ chunk: Chunk) throws(TidemarkError) {
        let failure = progress.submit()
        compressing.update { $0.chunks.append(chunk) }
        if let failure { throw failure }
    }

    /// Waits until every chunk is written, and takes the tail.
    func drain() throws(TidemarkError) { try progress.take() }

    /// Waits until every complete segment has its final name.
    func settle() throws(TidemarkError) {
        sealer.drain()
        _ = try poll()
    }

    /// Seals what is complete and ends the threads; idempotent. After a failure, or when
    /// `abandoning`, everything is let go of as it is.
    func close(abandoning: Bool) {
        if abandoning {
            progress.fail(TidemarkError(.cancelled, "the segment writer was closed"))
        }
        let hasFailed = progress.hasFailed
        compressing.update { $0.isClosed = true }
        let running = threads.update { threads in
            defer { threads = [] }
            return threads
        }
        // The threads' functions do not throw.
        for thread in running { try? thread.join() }
        sealer.close(abandoning: hasFailed)
        tail.close()
    }

    // MARK: the workers

    private func compress() {
        let encoders = Encoders(acceleration: options.acceleration)
        while let chunk = next(compressing) {
            if !hasFailed { guarding { () throws(TidemarkError) in try chunk.encode(encoders) } }
            writing.update { $0.chunks.append(chunk) }
        }
        writing.update { $0.isClosed = true }
    }

    private func write() {
        var unsynced: UInt64 = 0
        var position: UInt64 = 0
        while true {
            guard let chunk = next(writing, seconds: unsynced > 0 ? Self.idleSync : .infinity)
            else {
                if unsynced == 0 { return }
                syncIdle(position)
                unsynced = 0
                continue
            }
            position = chunk.end
            if !hasFailed {
                unsynced += UInt64(chunk.content.count)
                guarding { () throws(TidemarkError) in
                    try tail.write(chunk, isSmall: false)
                    if let index = chunk.closing {
                        sealer.add(try tail.finish(at: chunk.end, index))
                        unsynced = 0
                    } else if unsynced >= options.syncBytes {
                        try tail.sync()
                        unsynced = 0
                    }
                }
            }
            finish(chunk, durable: unsynced == 0 ? position : nil)
        }
    }

    /// A chunk is done; `durable` is set when everything up to it is.
    private func finish(_ chunk: Chunk, durable: UInt64?) {
        giveBack(chunk)
        progress.finish(durable: durable)
        if durable != nil { options.wake() }
    }

    /// Nothing came for a while: makes what was written durable, unless the stream thread is at it.
    private func syncIdle(_ position: UInt64) {
        guard progress.beginSync() else { return }
        guarding { () throws(TidemarkError) in try tail.sync() }
        progress.endSync(durable: position)
        options.wake()
    }

    private var hasFailed: Bool { progress.hasFailed }

    private func guarding(_ body: () throws(TidemarkError) -> Void) {
        do {
            try body()
        } catch {
            progress.fail(error)
            options.wake()
        }
    }

    /// The next chunk; nil when the queue is closed and empty, or the time is over.
    private func next(_ queue: Monitor<Queue>, seconds: Double = .infinity) -> Chunk? {
        let chunk: Chunk?? = queue.wait(seconds: seconds) { queue in
            if !queue.chunks.isEmpty { return .some(queue.chunks.removeFirst()) }
            return queue.isClosed ? .some(nil) : nil
        }
        return chunk ?? nil
    }
}
