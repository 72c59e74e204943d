/// The file format of a base backup's files, with a way to make its pieces.
package struct BackupCodec: Sendable {
    /// Of stored names, with the point: `.lz4`, `.gz`.
    package var suffix: String
    /// One encoder for each worker thread.
    package var makeEncoder: @Sendable () -> any ChunkEncoder

    package init(suffix: String, makeEncoder: @escaping @Sendable () -> any ChunkEncoder) {
        self.suffix = suffix
        self.makeEncoder = makeEncoder
    }
}
