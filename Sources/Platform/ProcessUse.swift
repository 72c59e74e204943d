import Glibc

/// What this process has used so far.
package struct ProcessUse: Sendable, Hashable {
    /// User and system time, of getrusage(2).
    package var cpuSeconds: Double
    /// Resident memory, of /proc/self/statm (proc(5)); nil where that cannot be read.
    package var residentBytes: UInt64?

    package init(cpuSeconds: Double, residentBytes: UInt64?) {
        self.cpuSeconds = cpuSeconds
        self.residentBytes = residentBytes
    }

    package static func now() -> ProcessUse {
        var usage = rusage()
        unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        let seconds = { (time: timeval) in Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        return ProcessUse(
            cpuSeconds: seconds(usage.ru_utime) + seconds(usage.ru_stime),
            residentBytes: residentBytes())
    }

    private static func residentBytes() -> UInt64? {
        guard let file = try? File("/proc/self/statm", .reading),
            let bytes = try? file.read(at: 0, 200)
        else { return nil }
        let fields = String(decoding: bytes, as: UTF8.self).split(separator: " ")
        return fields.count > 1
            ? UInt64(fields[1]).map { $0 * UInt64(sysconf(Int32(_SC_PAGESIZE))) } : nil
    }
}
