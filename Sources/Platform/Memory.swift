private import CPlatform

/// Settings of the process's memory.
package enum Memory {
    /// Keeps freed buffers instead of returning them to the kernel at every free. Measured: the
    /// biggest single saving of CPU time. Call it first thing in `main`.
    package static func tune() { tm_tune_malloc() }
}
