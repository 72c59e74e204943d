import Glibc

/// Memory that may be written past the page cache: its address is a multiple of 4096.
///
/// The memory is taken at the first use, so that an unused one costs nothing.
@safe
final class AlignedBuffer {
    static let alignment = 4096

    private let capacity: Int
    private var base: UnsafeMutableRawPointer?
    private(set) var count = 0

    /// - Precondition: `capacity` is a multiple of the alignment.
    init(capacity: Int) {
        precondition(
            capacity > 0 && capacity % Self.alignment == 0, "a block is a multiple of 4096 bytes")
        self.capacity = capacity
        unsafe base = nil
    }

    deinit { unsafe free(base) }

    var isFull: Bool { count == capacity }

    /// Copies as many bytes as fit; returns how many.
    func fill(_ bytes: RawSpan) -> Int {
        if unsafe base == nil {
            unsafe base = aligned_alloc(Self.alignment, capacity)
            precondition(unsafe base != nil, "out of memory for a block of \(capacity) bytes")
        }
        let taken = min(bytes.byteCount, capacity - count)
        if taken == 0 { return 0 }
        unsafe bytes.withUnsafeBytes { source in
            unsafe (base! + count).copyMemory(from: source.baseAddress!, byteCount: taken)
        }
        count += taken
        return taken
    }

    func empty() { count = 0 }

    /// Lends what was filled in.
    func withBytes<Failure: Error>(
        _ body: (RawSpan) throws(Failure) -> Void
    ) throws(Failure) {
        let buffer = unsafe UnsafeRawBufferPointer(start: base, count: count)
        try unsafe body(buffer.bytes)
    }
}
