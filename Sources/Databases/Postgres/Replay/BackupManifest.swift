/// The checksums of Postgres's own `backup_manifest`, by path.
///
/// The server writes one object a line (`backup_manifest.c`, `AddFileToBackupManifest`):
/// `{ "Path": "base/1/112", "Size": 16384, …, "Checksum-Algorithm": "CRC32C", "Checksum": "…" }`;
/// a path that is not plain UTF-8 comes in hex as `Encoded-Path`. Only CRC-32C is checked here:
/// it costs next to nothing, and the stored file as a whole has its SHA-256.
struct BackupManifest: Sendable {
    struct Entry: Hashable, Sendable {
        var bytes: UInt64
        /// Nil when another algorithm was used, or none.
        var crc32c: UInt32?
    }

    private(set) var entries: [String: Entry] = [:]

    init(_ bytes: [UInt8]) {
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            guard let (path, entry) = Self.parse(line) else { continue }
            entries[path] = entry
        }
    }

    private static func parse(_ line: ArraySlice<UInt8>) -> (String, Entry)? {
        let text = String(decoding: line, as: UTF8.self)
        let path: String
        if let plain = value("\"Path\": \"", in: text, until: "\"") {
            path = unescaped(plain)
        } else if let hex = value("\"Encoded-Path\": \"", in: text, until: "\"") {
            guard let decoded = bytes(hex: hex) else { return nil }
            path = String(decoding: decoded, as: UTF8.self)
        } else {
            return nil
        }
        guard let size = value("\"Size\": ", in: text, until: ",").flatMap({ UInt64($0) }) else {
            return nil
        }
        var crc: UInt32?
        if value("\"Checksum-Algorithm\": \"", in: text, until: "\"") == "CRC32C",
            let hex = value("\"Checksum\": \"", in: text, until: "\""),
            let raw = bytes(hex: hex), raw.count == 4
        {
            // The server prints the integer's bytes as they lie in memory: little-endian.
            crc = raw.reversed().reduce(0) { $0 << 8 | UInt32($1) }
        }
        return (path, Entry(bytes: size, crc32c: crc))
    }

    private static func value(_ key: String, in text: String, until end: Character) -> String? {
        guard let start = text.firstRange(of: key) else { return nil }
        let rest = text[start.upperBound...]
        var result = ""
        var escaped = false
        for character in rest {
            if !escaped, character == end { return result }
            escaped = !escaped && character == "\\"
            result.append(character)
        }
        return nil
    }

    /// Undoes JSON's short escapes, the only ones that the server writes into a plain path.
    private static func unescaped(_ text: String) -> String {
        guard text.contains("\\") else { return text }
        var result = ""
        var escaped = false
        for character in text {
            if escaped || character != "\\" { result.append(character) }
            escaped = !escaped && character == "\\"
        }
        return result
    }

    private static func bytes(hex: String) -> [UInt8]? {
        let digits = Array(hex.utf8)
        guard digits.count.isMultiple(of: 2) else { return nil }
        var out: [UInt8] = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            let pair = String(decoding: digits[index...(index + 1)], as: UTF8.self)
            guard let byte = UInt8(pair, radix: 16) else { return nil }
            out.append(byte)
        }
        return out
    }
}
