private import CZlib

/// Each content one gzip member, level 1.
///
/// The deflate state is reset, not made anew; an encode allocates nothing once the output has
/// grown.
@safe
package final class GzipMemberEncoder: FrameEncoder {
    package let compression = Compression.gzip
    /// zlib remembers the address of the stream, so it must not move.
    private let stream: UnsafeMutablePointer<z_stream>

    package init() {
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        // Window bits 31: 32 KiB and a gzip header. Memory level 8 and strategy 0 are the defaults.
        let status = unsafe deflateInit2_(
            stream, 1, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size))
        precondition(status == Z_OK, "no memory for a deflate state")
    }

    deinit {
        unsafe deflateEnd(stream)
        unsafe stream.deallocate()
    }

    package func encode(_ content: RawSpan, into output: Buffer) {
        precondition(
            (1...FrameLimit.content).contains(content.byteCount), "a frame holds 1 byte to 1 MiB")
        unsafe output.reserve(Int(deflateBound(stream, UInt(content.byteCount))))
        unsafe content.withUnsafeBytes { source in
            // zlib does not write to its input; the type only lacks the const.
            unsafe stream.pointee.next_in = UnsafeMutablePointer(
                mutating: source.assumingMemoryBound(to: UInt8.self).baseAddress)
            unsafe stream.pointee.avail_in = UInt32(source.count)
            unsafe stream.pointee.next_out =
                (output.base + output.count).assumingMemoryBound(to: UInt8.self)
            unsafe stream.pointee.avail_out = UInt32(output.room)
            let status = unsafe deflate(stream, Z_FINISH)
            precondition(status == Z_STREAM_END, "deflate did not end within its bound")
            unsafe output.count = output.capacity - Int(stream.pointee.avail_out)
        }
        unsafe deflateReset(stream)
    }

    package func note(_ tag: NoteTag, _ payload: RawSpan, into output: Buffer) {
        precondition(payload.byteCount <= FrameLimit.note, "a note is at most 60,000 bytes long")
        let extra = unsafe payload.withUnsafeBytes { unsafe Array($0) }
        output.append(GzipFormat.note(tag, extra: extra))
    }
}
