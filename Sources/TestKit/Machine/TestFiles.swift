import Glibc

/// The content of a small text file; empty when it cannot be read.
func textFile(_ path: String) -> String { String(decoding: fileBytes(path), as: UTF8.self) }

/// The content of a file; empty when it cannot be read.
package func fileBytes(_ path: String) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return [] }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65536)
    while true {
        let count = read(descriptor, &buffer, buffer.count)
        guard count > 0 else { return bytes }
        bytes += buffer[..<count]
    }
}

/// The present children of a process, from /proc.
func childProcesses(of pid: Int32) -> [Int32] {
    textFile("/proc/\(pid)/task/\(pid)/children").split(separator: " ").compactMap { Int32($0) }
}

/// Whether a process is gone, or only waits to be reaped.
func hasEnded(_ pid: Int32) -> Bool {
    let status = textFile("/proc/\(pid)/stat")
    guard let end = status.lastIndex(of: ")") else { return true }
    return status[end...].dropFirst(2).hasPrefix("Z")
}

/// Names in a directory, without `.` and `..`; empty when it cannot be read.
package func namesInside(_ path: String) -> [String] {
    guard let folder = opendir(path) else { return [] }
    defer { closedir(folder) }
    var names: [String] = []
    while let entry = readdir(folder) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
            $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name != ".", name != ".." { names.append(name) }
    }
    return names
}
