/// One pooled megabyte of a base backup on its way from the source to a worker.
///
/// Allocated once, used again and again: the free list of the pipeline is the back-pressure.
@safe
final class BackupChunk: @unchecked Sendable {
    // @unchecked: has one owner at a time, handed on under the pipeline's monitor.
    static let capacity = 1 << 20

    private let memory: UnsafeMutableRawPointer
    private(set) var count = 0

    init() { unsafe memory = .allocate(byteCount: Self.capacity, alignment: 4096) }

    deinit { unsafe memory.deallocate() }

    var isFull: Bool { count == Self.capacity }

    /// Copies as much of `bytes` from `offset` on as fits; returns how much that was.
    func fill(from bytes: RawSpan, at offset: Int) -> Int {
        let taken = min(bytes.byteCount - offset, Self.capacity - count)
        guard taken > 0 else { return 0 }
        unsafe bytes.withUnsafeBytes { source in
            unsafe (memory + count).copyMemory(
                from: source.baseAddress! + offset, byteCount: taken)
        }
        count += taken
        return taken
    }

    var bytes: UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(start: memory, count: count)
    }

    func clear() { count = 0 }
}
