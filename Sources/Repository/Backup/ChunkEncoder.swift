package import Model

/// Makes one self-contained compressed piece of a chunk; owned by one worker thread.
///
/// Pieces written one behind another are a standard file of the format: frames of LZ4, members of
/// gzip. An empty chunk becomes a piece too, so that an empty file is still a file of the format.
package protocol ChunkEncoder: AnyObject {
    func encode(_ chunk: UnsafeRawBufferPointer) throws(TidemarkError) -> [UInt8]
}
