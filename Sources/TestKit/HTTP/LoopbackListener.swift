import Glibc
package import Model

/// Takes a port of 127.0.0.1 and answers nobody.
package final class LoopbackListener {
    private var descriptor: Int32

    package init(_ port: Int) throws(TidemarkError) {
        descriptor = try LoopbackSocket.listening(on: port, backlog: 1)
    }

    /// The port is free again.
    package func close() {
        if descriptor >= 0 { Glibc.close(descriptor) }
        descriptor = -1
    }

    deinit { close() }
}
