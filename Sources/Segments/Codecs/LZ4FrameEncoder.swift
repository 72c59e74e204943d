import CLZ4
import CXXHash

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
/// ```
/// magic(4) FLG BD contentSize(8) HC | blockSize(4) block | endMark(4) = 0 | checksum(4)
/// ```
///
/// The frame is put together here, around liblz4's block compressor: `LZ4F_compressUpdate`'s own
/// checksum costs 2.5 times what libxxhash's does, nearly as much as the compression itself. The
/// hash table is reused; an encode allocates nothing once the output has grown.
@safe
package final class LZ4FrameEncoder: FrameEncoder {
    package let compression = Compression.lz4
    private let acceleration: Int32
    /// LZ4_sizeofState() bytes: the compressor's hash table.
    private let state: UnsafeMutableRawPointer

    /// FLG: version 01, independent blocks, content size, content checksum.
    private static let flags: UInt8 = 0b0110_1100
    /// The highest bit of a block's size: the block is stored as it is.
    private static let stored: UInt32 = 1 << 31
    /// Bytes from which on a block is compressed.
    private static let worthCompressing = 4096
    /// Everything but the block: header, its size, end mark, checksum.
    private static let overhead = 15 + 4 + 4 + 4

    /// - Parameter acceleration: 1 to 65,537; see `Compression.encoder`.
    package init(acceleration: Int32 = 8) {
        precondition((1...65_537).contains(acceleration), "LZ4 acceleration runs from 1 to 65537")
        self.acceleration = acceleration
        unsafe state = .allocate(byteCount: Int(LZ4_sizeofState()), alignment: 16)
    }

    deinit { unsafe state.deallocate() }

    package func encode(_ content: RawSpan, into output: Buffer) {
        precondition(
            (1...FrameLimit.content).contains(content.byteCount), "a frame holds 1 byte to 1 MiB")
        output.reserve(content.byteCount + Self.overhead)
        appendHeader(contentSize: content.byteCount, to: output)
        appendBlock(content, to: output)
        output.append(littleEndian: UInt32(0))
        output.append(littleEndian: Self.checksum(content))
    }

    private func appendHeader(contentSize: Int, to output: Buffer) {
        output.append(littleEndian: LZ4Format.magic)
        let descriptor = output.count
        output.append(littleEndian: Self.flags)
        // The smallest block size that holds the content: a decoder allocates that much.
        let size: UInt8 =
            switch contentSize {
            case ...(64 << 10): 4
            case ...(256 << 10): 5
            default: 6
            }
        output.append(littleEndian: size << 4)
        output.append(littleEndian: UInt64(contentSize))
        let described = unsafe UnsafeRawBufferPointer(
            start: output.base + descriptor, count: output.count - descriptor)
        let check = Self.checksum(unsafe described.bytes)
        output.append(littleEndian: UInt8(truncatingIfNeeded: check >> 8))
    }

    /// The block, compressed only when that makes it smaller, and less than a page never: the disk
    /// writes a page anyway, a commit waits for it, and sealing rewrites what small frames made
    /// long.
    private func appendBlock(_ content: RawSpan, to output: Buffer) {
        guard content.byteCount >= Self.worthCompressing else {
            output.append(littleEndian: UInt32(content.byteCount) | Self.stored)
            output.append(content)
            return
        }
        let size = output.count
        output.append(littleEndian: UInt32(0))
        let room = content.byteCount - 1
        let written = unsafe content.withUnsafeBytes { source in
            unsafe LZ4_compress_fast_extState(
                state, source.baseAddress, output.base + output.count, Int32(source.count),
                Int32(room), acceleration)
        }
        if written > 0 {
            output.count += Int(written)
        } else {
            output.append(content)
        }
        let block = written > 0 ? UInt32(written) : UInt32(content.byteCount) | Self.stored
        unsafe (output.base + size).storeBytes(of: block.littleEndian, as: UInt32.self)
    }

    private static func checksum(_ bytes: RawSpan) -> UInt32 {
        unsafe bytes.withUnsafeBytes { unsafe XXH32($0.baseAddress, $0.count, 0) }
    }

    package func note(_ tag: NoteTag, _ payload: RawSpan, into output: Buffer) {
        precondition(payload.byteCount <= FrameLimit.note, "a note is at most 60,000 bytes long")
        output.append(littleEndian: LZ4Format.skippableMagic + UInt32(tag.rawValue))
        output.append(littleEndian: UInt32(payload.byteCount))
        output.append(payload)
    }
}
