private import CLZ4

/// The numbers of the LZ4 frame format (doc/lz4_Frame_format.md of lz4 1.9).
package enum LZ4Format {
    package static let magic: UInt32 = 0x184D_2204
    /// Skippable frames: magic `…50` to `…5F`, length in four bytes, payload.
    package static let skippableMagic: UInt32 = 0x184D_2A50
    /// Bytes before a skippable frame's payload.
    package static let skippableHeader = 8
}

/// Each content one LZ4 frame: one independent block, content size, checksum of the content.
///
/// The context and its hash table are reused; an encode allocates nothing once the output has
/// grown.
@safe
package final class LZ4FrameEncoder: FrameEncoder {
    package let compression = Compression.lz4
    private let context: OpaquePointer
    private var preferences = LZ4F_preferences_t()
    private var options = LZ4F_compressOptions_t()

    /// - Parameter acceleration: 1 to 65,537; see `Compression.encoder`.
    package init(acceleration: Int32 = 8) {
        precondition((1...65_537).contains(acceleration), "LZ4 acceleration runs from 1 to 65537")
        var made: OpaquePointer?
        let status = unsafe LZ4F_createCompressionContext(&made, UInt32(LZ4F_VERSION))
        guard LZ4F_isError(status) == 0, let made = unsafe made else {
            preconditionFailure("no memory for an LZ4 context")
        }
        unsafe context = made
        preferences.frameInfo.blockMode = LZ4F_blockIndependent
        preferences.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled
        // lz4frame.c: a negative level is an acceleration of 1 - level.
        preferences.compressionLevel = 1 - acceleration
        // Nothing is kept between updates, so no copy of the input is made.
        preferences.autoFlush = 1
        options.stableSrc = 1
    }

    deinit { unsafe LZ4F_freeCompressionContext(context) }

    package func encode(_ content: RawSpan, into output: Buffer) {
        precondition(
            (1...FrameLimit.content).contains(content.byteCount), "a frame holds 1 byte to 1 MiB")
        // The smallest block size that holds the content: a decoder allocates that much.
        preferences.frameInfo.blockSizeID =
            switch content.byteCount {
            case ...(64 << 10): LZ4F_max64KB
            case ...(256 << 10): LZ4F_max256KB
            default: LZ4F_max1MB
            }
        preferences.frameInfo.contentSize = UInt64(content.byteCount)
        unsafe output.reserve(
            LZ4F_compressBound(content.byteCount, &preferences) + Int(LZ4F_HEADER_SIZE_MAX))
        var end = output.count
        unsafe end += check(
            LZ4F_compressBegin(context, output.base + end, output.capacity - end, &preferences))
        unsafe content.withUnsafeBytes { source in
            unsafe end += check(
                LZ4F_compressUpdate(
                    context, output.base + end, output.capacity - end, source.baseAddress,
                    source.count, &options))
        }
        unsafe end += check(
            LZ4F_compressEnd(context, output.base + end, output.capacity - end, &options))
        output.count = end
    }

    package func note(_ tag: NoteTag, _ payload: [UInt8], into output: Buffer) {
        precondition(payload.count <= FrameLimit.note, "a note is at most 60,000 bytes long")
        output.append(littleEndian: LZ4Format.skippableMagic + UInt32(tag.rawValue))
        output.append(littleEndian: UInt32(payload.count))
        output.append(payload)
    }

    /// Output was reserved to the bound and the calls come in order, so no call can fail.
    private func check(_ status: Int) -> Int {
        precondition(LZ4F_isError(status) == 0, "an LZ4 call failed within its bounds")
        return status
    }
}
