package import Model
import Platform
import Glibc

/// `pg_receivewal` beside whatever is tested: WAL received by a program that nobody here wrote.
package final class ReceiveWal: Sendable {
    /// Where its files lie: complete segments under their WAL names, the open one as `.partial`.
    package let folder: String
    private let process: Subprocess

    /// Starts it and waits until it streams; it begins with the segment the server writes now.
    package init(_ server: PostgresServer) throws(TidemarkError) {
        folder = try server.makeDirectory("receivewal")
        process = try Subprocess(
            PostgresTools.path("pg_receivewal"),
            ["-D", folder, "--no-loop", "--verbose", "-d", server.url()],
            SubprocessOptions(
                directory: folder, user: PostgresTools.user, signalOnParentDeath: .kill))
        guard process.waitForOutput(seconds: 30, { $1.contains("starting log streaming") }) else {
            throw TidemarkError(.failed, "pg_receivewal does not stream: \(process.errors)")
        }
    }

    deinit {
        process.signal(SIGKILL)
        process.wait()
    }

    /// Ends it in good order.
    package func stop() throws(TidemarkError) {
        process.signal(SIGINT)
        guard let status = process.wait(seconds: 30), status.isSuccess else {
            throw TidemarkError(.failed, "pg_receivewal did not end well: \(process.errors)")
        }
    }
}
