import Glibc
import Model

extension PostgresServer {
    /// Stops a server that checks its pages, damages one of a new table, and starts it again.
    ///
    /// - Returns: the damaged file, below the data directory.
    package func damagePage() throws -> String {
        try psql("create table a as select generate_series(1, 9000) i; checkpoint")
        let file = try psql("select pg_relation_filepath('a')")
        try stop()
        let descriptor = unsafe open(pgData + "/" + file, O_WRONLY)
        defer { close(descriptor) }
        let count = unsafe [UInt8(0xAA)].withUnsafeBytes {
            unsafe pwrite(descriptor, $0.baseAddress, 1, 8192 + 5000)
        }
        guard count == 1 else {
            throw TidemarkError(
                .failed, "cannot damage \(file)", remedy: "run as its owner, or as root")
        }
        try start()
        return file
    }
}
