import Glibc

/// The end of this process.
package enum ProcessEnd {
    /// Ends it at once with this status; nothing is flushed, and no exit handler runs.
    ///
    /// `exit` runs the handlers of libraries while other threads go on: OpenSSL's frees what a
    /// connection that is just being closed still uses ("double free or corruption", after a
    /// restore that had succeeded). Nothing of ours waits for that end: what is durable was
    /// acknowledged before, and output is written without buffers.
    package static func now(_ status: Int32) -> Never { _exit(status) }
}
