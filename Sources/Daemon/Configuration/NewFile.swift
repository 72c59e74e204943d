import Glibc
package import Model

/// Writes a file that does not exist yet.
package enum NewFile {
    /// Throws `configuration` when the path exists, whatever it is, or cannot be written.
    ///
    /// Mode 0640: the file may hold a password one day.
    package static func write(_ text: String, to path: String) throws(TidemarkError) {
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else {
            if errno == EEXIST {
                throw TidemarkError(
                    .configuration, "\(path) exists already and is left as it is",
                    remedy: "name another file with --output PATH, or move this one away")
            }
            throw failure(path)
        }
        defer { close(descriptor) }
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Glibc.write(descriptor, buffer.baseAddress, buffer.count)
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else {
                let error = failure(path)
                unsafe unlink(path)
                throw error
            }
            bytes = bytes.dropFirst(count)
        }
    }

    private static func failure(_ path: String) -> TidemarkError {
        let reason = unsafe String(cString: strerror(errno)).lowercased()
        return TidemarkError(
            .configuration, "cannot write \(path): \(reason)",
            remedy: "name a file in a directory that exists and may be written, with --output PATH")
    }
}
