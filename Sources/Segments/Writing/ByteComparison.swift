import Glibc

/// Comparing byte runs fast when they are equal, exactly when they are not.
@safe
enum ByteComparison {
    /// How many leading bytes are equal.
    static func commonPrefix(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Int {
        let count = min(a.count, b.count)
        guard count > 0, let x = a.baseAddress, let y = b.baseAddress else {
            return 0
        }
        if unsafe memcmp(x, y, count) == 0 { return count }
        var index = 0
        while unsafe a[index] == b[index] { index += 1 }
        return index
    }
}
