import Glibc

/// Raw memory that grows, is reused, and belongs to one thread at a time.
@safe
package final class Buffer {
    /// First byte; page-aligned. Moves when the buffer grows.
    @unsafe package private(set) var base: UnsafeMutableRawPointer
    package private(set) var capacity: Int
    /// Bytes in use. Whoever writes through `base` sets it.
    package var count = 0 {
        didSet { precondition(count <= capacity, "a buffer holds no more than its capacity") }
    }

    package init(capacity: Int) {
        self.capacity = max(capacity, 64)
        unsafe base = .allocate(byteCount: self.capacity, alignment: 4096)
    }

    deinit { unsafe base.deallocate() }

    package var isEmpty: Bool { count == 0 }
    package var room: Int { capacity - count }

    /// Makes room for `more` bytes behind the bytes in use.
    package func reserve(_ more: Int) {
        guard room < more else { return }
        let larger = max(count + more, capacity * 2)
        let moved = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 4096)
        unsafe memcpy(moved, base, count)
        unsafe base.deallocate()
        unsafe base = moved
        capacity = larger
    }

    package func append(_ bytes: RawSpan) {
        unsafe bytes.withUnsafeBytes { source in
            guard let start = source.baseAddress else { return }
            let free = unsafe free(source.count)
            unsafe memcpy(free, start, source.count)
            count += source.count
        }
    }

    /// First byte behind the bytes in use, with room for `more`; who writes there adds to `count`.
    private func free(_ more: Int) -> UnsafeMutableRawPointer {
        reserve(more)
        return unsafe base + count
    }

    package func append(_ bytes: [UInt8]) { unsafe append(bytes.span.bytes) }

    package func append(littleEndian value: some FixedWidthInteger) {
        let size = value.bitWidth / 8
        let free = unsafe free(size)
        unsafe free.storeBytes(of: value.littleEndian, as: type(of: value))
        count += size
    }

    /// Replaces bytes in use.
    package func store(littleEndian value: some FixedWidthInteger, at offset: Int) {
        precondition(offset + value.bitWidth / 8 <= count, "only bytes in use are replaced")
        unsafe (base + offset).storeBytes(of: value.littleEndian, as: type(of: value))
    }

    package func append(zeros: Int) {
        reserve(zeros)
        unsafe memset(base + count, 0, zeros)
        count += zeros
    }

    package func removeAll() { count = 0 }

    /// Lends the bytes in use.
    package func withBytes<R, Failure: Error>(
        _ body: (RawSpan) throws(Failure) -> R
    ) throws(Failure) -> R {
        try withBytes(0..<count, body)
    }

    /// Lends a part of the bytes in use.
    package func withBytes<R, Failure: Error>(
        _ range: Range<Int>, _ body: (RawSpan) throws(Failure) -> R
    ) throws(Failure) -> R {
        precondition(range.upperBound <= count, "a buffer lends only bytes in use")
        let part = unsafe UnsafeRawBufferPointer(
            start: base + range.lowerBound, count: range.count)
        return try body(unsafe part.bytes)
    }

    /// A copy of the bytes in use.
    package var array: [UInt8] {
        unsafe [UInt8](UnsafeRawBufferPointer(start: base, count: count))
    }
}
