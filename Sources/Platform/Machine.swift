import Glibc

/// What the machine is.
package enum Machine {
    /// Processors this process may run on; at least one.
    package static var processors: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

    /// How it is called (gethostname(2)); empty when that cannot be known.
    package static var name: String {
        var bytes = [UInt8](repeating: 0, count: 256)
        let status = unsafe bytes.withUnsafeMutableBytes { space in
            unsafe space.withMemoryRebound(to: CChar.self) {
                guard let start = $0.baseAddress else { return Int32(-1) }
                return unsafe gethostname(start, $0.count - 1)
            }
        }
        return status == 0 ? String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self) : ""
    }
}
