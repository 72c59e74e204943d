private import CPlatform
package import Model
import Glibc

/// A descriptor that makes a blocked `poll` of its owner return; any thread may raise it.
package final class WakeSignal: Sendable {
    /// For `poll` with POLLIN.
    package let descriptor: Int32

    package init() throws(TidemarkError) {
        descriptor = tm_eventfd()
        if descriptor < 0 {
            throw TidemarkError(
                .failed, "cannot create an eventfd (errno \(errno))",
                remedy: "raise the limit of open files (ulimit -n)")
        }
    }

    deinit { Glibc.close(descriptor) }

    package func raise() {
        var one: UInt64 = 1
        // EAGAIN means that the counter is full: the signal is up already.
        _ = unsafe withUnsafeBytes(of: &one) { unsafe Glibc.write(descriptor, $0.baseAddress, 8) }
    }

    /// Takes the signal down; true when it was up.
    @discardableResult
    package func clear() -> Bool {
        var count: UInt64 = 0
        return unsafe withUnsafeMutableBytes(of: &count) {
            unsafe Glibc.read(descriptor, $0.baseAddress, 8) == 8
        }
    }
}
