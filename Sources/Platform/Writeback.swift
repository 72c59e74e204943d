private import CPlatform

/// Begins to bring written bytes to the disk without waiting for it (sync_file_range(2)).
package enum Writeback {
    /// Advice only: nothing is durable by it, and a file system that does not take it writes later.
    ///
    /// - Parameters:
    ///   - descriptor: an open file.
    ///   - offset: of the first byte.
    ///   - length: in bytes.
    package static func start(_ descriptor: Int32, at offset: UInt64, _ length: UInt64) {
        tm_begin_writeback(descriptor, Int64(offset), Int64(length))
    }
}
