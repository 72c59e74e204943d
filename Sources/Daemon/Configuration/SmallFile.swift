import Glibc
import Model

/// Reads a small file whole: configuration, passwords, time zones.
enum SmallFile {
    /// Throws `configuration` with a sentence that names the path; the content is never in it.
    static func read(_ path: String, limit: Int) throws(TidemarkError) -> String {
        guard let text = String(validating: try load(path, limit: limit), as: UTF8.self) else {
            throw TidemarkError(.configuration, "\(path) is not UTF-8 text")
        }
        return text
    }

    /// Nil when the file cannot be read, for whatever reason.
    static func bytes(_ path: String, limit: Int) -> [UInt8]? { try? load(path, limit: limit) }

    static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

    private static func load(_ path: String, limit: Int) throws(TidemarkError) -> [UInt8] {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw TidemarkError(.configuration, "cannot open \(path): \(reason(errno))")
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = unsafe piece.withUnsafeMutableBytes { buffer in
                unsafe Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            }
            if count == 0 { return bytes }
            if count < 0 {
                if errno == EINTR { continue }
                throw TidemarkError(.configuration, "cannot read \(path): \(reason(errno))")
            }
            bytes += piece[..<count]
            if bytes.count > limit {
                throw TidemarkError(
                    .configuration, "\(path) is longer than \(ByteCount(UInt64(limit)))")
            }
        }
    }

    private static func reason(_ number: Int32) -> String {
        unsafe String(cString: strerror(number)).lowercased()
    }
}
