/// A process that has ended, and what it printed.
package struct CompletedProcess: Sendable {
    package var status: ExitStatus
    /// The last bytes of standard output, as many as were asked to be kept.
    package var outputBytes: [UInt8]
    /// Bytes of standard output that came before and were dropped.
    package var droppedOutputBytes: UInt64
    package var errors: String

    package var output: String { String(decoding: outputBytes, as: UTF8.self) }
}
