package import Model
import Platform

/// The `file:` URL of a folder that holds an archive.
package struct FolderURL: Hashable, Sendable, CustomStringConvertible {
    /// Absolute.
    package let path: String

    package init(path: String) { self.path = path }

    /// Parses `file:///absolute/path`, percent-decoded. Throws `configuration`.
    package init(_ text: String) throws(TidemarkError) {
        guard let colon = text.firstIndex(of: ":"), let scheme = Self.scheme(text[..<colon]) else {
            throw Self.refusal(
                "the repository's URL \(text) has no scheme",
                text.hasPrefix("/") ? "write file://\(text)" : "write file:///absolute/path")
        }
        guard scheme == "file" else {
            throw Self.refusal(
                "\(scheme):… names no folder", "write file:///absolute/path")
        }
        path = try Self.filePath(text, text[text.index(after: colon)...])
    }

    /// Lower case; nil when it is none.
    private static func scheme(_ text: Substring) -> String? {
        let name = text.lowercased()
        let isScheme =
            !name.isEmpty
            && name.utf8.allSatisfy {
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
            }
        return isScheme ? name : nil
    }

    /// RFC 8089: `file:///path`, `file://localhost/path` and `file:/path`.
    private static func filePath(
        _ text: String, _ rest: Substring
    ) throws(TidemarkError) -> String {
        var path = rest
        if path.hasPrefix("//localhost/") {
            path = path.dropFirst("//localhost".count)
        } else if path.hasPrefix("///") {
            path = path.dropFirst(2)
        }
        guard path.hasPrefix("/"), !path.hasPrefix("//") else {
            throw refusal(
                "the repository's URL \(text) names no absolute path",
                "write three slashes: file:///absolute/path")
        }
        guard !path.contains("?"), !path.contains("#") else {
            throw refusal(
                "the repository's URL \(text) has a query or fragment",
                "write ? as %3F and # as %23 when they belong to the path")
        }
        guard let decoded = PercentText.decoded(path), !decoded.utf8.contains(0) else {
            throw refusal(
                "the repository's URL \(text) is not percent-encoded correctly",
                "write a percent sign as %25")
        }
        let segments = decoded.split(separator: "/")
        guard !segments.contains(where: { $0 == "." || $0 == ".." }) else {
            throw refusal(
                "the repository's URL \(text) has . or .. in its path",
                "write the path without them")
        }
        guard !segments.isEmpty else {
            throw refusal(
                "the repository's URL \(text) is the root of the file system",
                "give it a folder of its own: file:///var/lib/tidemark")
        }
        return "/" + segments.joined(separator: "/")
    }

    private static func refusal(_ message: String, _ remedy: String) -> TidemarkError {
        TidemarkError(.configuration, message, remedy: remedy)
    }

    /// The URL again, percent-encoded; parsing it gives the same value.
    package var description: String { "file://" + Self.encode(path) }

    private static func encode(_ path: String) -> String {
        var text = ""
        for byte in path.utf8 {
            if byte > 0x20, byte < 0x7f, !"%?#\"<>\\^`{|}".utf8.contains(byte) {
                text.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                text += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return text
    }

    /// Opens the store.
    ///
    /// - Parameter createRoot: make a missing folder; for the very first start only.
    package func open(createRoot: Bool) throws(TidemarkError) -> any ObjectStore {
        try LocalStore(path: path, createRoot: createRoot)
    }
}
