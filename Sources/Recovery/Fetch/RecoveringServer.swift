import Glibc
import Platform

/// The server that a data directory belongs to, seen from outside: does it still recover?
struct RecoveringServer: Sendable {
    let directory: String

    /// Whether the postmaster lives and has not finished recovery.
    var isRecovering: Bool {
        guard let process else { return false }
        let lives = Glibc.kill(process, 0) == 0 || errno == EPERM
        return lives && (exists("recovery.signal") || exists("standby.signal"))
    }

    /// First line of postmaster.pid.
    var process: Int32? {
        guard let file = try? File(directory + "/postmaster.pid", .reading),
            let bytes = try? file.read(at: 0, 32)
        else { return nil }
        let line = String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        guard let process = Int32(line), process > 0 else { return nil }
        return process
    }

    private func exists(_ name: String) -> Bool {
        unsafe access(directory + "/" + name, F_OK) == 0
    }
}
