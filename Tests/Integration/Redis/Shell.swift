import Model
import Platform
import TestKit

/// A line of shell with its arguments as `$0`, `$1`, …; what it wrote.
@discardableResult
func shell(
    _ script: String, _ arguments: String..., seconds: Double = 60
) throws -> String {
    let done = try Subprocess.run("/bin/sh", ["-c", script] + arguments, seconds: seconds)
    guard done.status.isSuccess else {
        throw TidemarkError(.failed, "\(script): \(done.output)\(done.errors)")
    }
    return done.output
}

/// Inverts one bit of a file, in its middle unless told where.
func flipBit(_ path: String, at place: UInt64? = nil) throws {
    try shell(
        """
        chmod u+w "$0" && python3 - "$0" "$1" <<'END'
        import os, sys
        with open(sys.argv[1], "r+b") as file:
            file.seek(int(sys.argv[2] or os.path.getsize(sys.argv[1]) // 2))
            byte = file.read(1)[0]
            file.seek(-1, 1)
            file.write(bytes([byte ^ 1]))
        END
        """, path, place.map { "\($0)" } ?? "")
}
