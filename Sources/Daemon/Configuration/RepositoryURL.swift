import Storage

/// Where an archive lies: a folder of this machine or a bucket.
package enum RepositoryURL: Sendable, Hashable, CustomStringConvertible {
    /// Absolute path without trailing `/`.
    case file(path: String)
    /// The whole URL; it may hold keys in its query.
    case s3(Secret, redacted: String)

    /// `file:///path`, an absolute path, or `s3://bucket/prefix?…`; nil for anything else.
    package init?(_ text: String) {
        if text.hasPrefix("/") {
            guard let path = Self.path(text) else { return nil }
            self = .file(path: path)
            return
        }
        if let folder = try? FolderURL(text) {
            self = .file(path: folder.path)
            return
        }
        guard let parts = URLParts(text) else { return nil }
        switch parts.scheme {
        case "s3":
            guard !parts.hosts.isEmpty else { return nil }
            self = .s3(Secret(text), redacted: parts.redacted)
        default: return nil
        }
    }

    /// The URL without anything secret.
    package var description: String {
        switch self {
        case .file(let path): FolderURL(path: path).description
        case .s3(_, let redacted): redacted
        }
    }

    /// Nil for relative paths, the root itself and paths with `..` or NUL.
    private static func path(_ text: String) -> String? {
        let parts = text.split(separator: "/").filter { $0 != "." }
        guard text.hasPrefix("/"), !parts.isEmpty, !parts.contains(".."), !text.contains("\0")
        else { return nil }
        return "/" + parts.joined(separator: "/")
    }
}
