/// `tablespace_map`: where recovery makes the links of `pg_tblspc`, one `<oid> <path>` a line.
///
/// A newline, carriage return or backslash in a path is written with a backslash before it
/// (`xlog.c`, `do_pg_backup_start` and `read_tablespace_map`).
struct TablespaceMap: Hashable, Sendable {
    struct Entry: Hashable, Sendable {
        var oid: String
        var path: String
    }

    var entries: [Entry]

    init(_ entries: [Entry]) { self.entries = entries }

    init(parsing bytes: [UInt8]) {
        entries = []
        var line: [UInt8] = []
        var escaped = false
        for byte in bytes {
            if escaped {
                line.append(byte)
                escaped = false
            } else if byte == UInt8(ascii: "\\") {
                escaped = true
            } else if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") {
                add(line)
                line.removeAll()
            } else {
                line.append(byte)
            }
        }
        add(line)
    }

    private mutating func add(_ line: [UInt8]) {
        guard let space = line.firstIndex(of: 32) else { return }
        entries.append(
            Entry(
                oid: String(decoding: line[..<space], as: UTF8.self),
                path: String(decoding: line[(space + 1)...], as: UTF8.self)))
    }

    /// The file's content.
    var bytes: [UInt8] {
        var out: [UInt8] = []
        for entry in entries {
            out += Array(entry.oid.utf8) + [32]
            for byte in entry.path.utf8 {
                if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")
                    || byte == UInt8(ascii: "\\")
                {
                    out.append(UInt8(ascii: "\\"))
                }
                out.append(byte)
            }
            out.append(UInt8(ascii: "\n"))
        }
        return out
    }
}
