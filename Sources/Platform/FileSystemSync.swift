private import CPlatform
package import Model
import Glibc

/// Makes everything written to a whole file system durable; one call instead of one per file.
package enum FileSystemSync {
    /// syncfs(2) of the file system that holds `path`. Reports writes that failed since it was
    /// opened (Linux 5.8 and later).
    package static func run(holding path: String) throws(TidemarkError) {
        let folder = unsafe open(path, O_RDONLY | O_CLOEXEC)
        defer { if folder >= 0 { Glibc.close(folder) } }
        guard folder >= 0, tm_syncfs(folder) == 0 else {
            let reason = unsafe String(cString: strerror(errno))
            throw TidemarkError(
                .failed, "cannot make \(path) durable: \(reason)",
                remedy: "look at the kernel's log (dmesg) for errors of this disk")
        }
    }
}
