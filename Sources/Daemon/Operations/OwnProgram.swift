import Glibc
import Model

/// Where this program lies, for commands that others run later.
enum OwnProgram {
    static func path() throws(TidemarkError) -> String {
        try resolved("/proc/self/exe")
    }

    /// Absolute form of a path whose last parts need not exist; links are kept.
    static func absolute(_ path: String) throws(TidemarkError) -> String {
        var parts: [Substring] = []
        let whole = path.hasPrefix("/") ? path : try resolved(".") + "/" + path
        for part in whole.split(separator: "/") where part != "." {
            if part == ".." { parts = parts.dropLast() } else { parts.append(part) }
        }
        guard !parts.isEmpty else {
            throw TidemarkError(
                .usage, "a restore cannot go into the root of the file system",
                remedy: "name a folder of its own with --into")
        }
        return "/" + parts.joined(separator: "/")
    }

    private static func resolved(_ path: String) throws(TidemarkError) -> String {
        guard let found = unsafe realpath(path, nil) else {
            throw TidemarkError(
                .failed, "cannot resolve \(path): \(unsafe String(cString: strerror(errno)))")
        }
        defer { unsafe free(found) }
        return unsafe String(cString: found)
    }
}
