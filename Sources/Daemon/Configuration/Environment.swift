import Glibc
import Model

/// The environment variables, and the files they name, as an argument so that a test can set them.
package struct Environment: Sendable {
    /// A file named by a variable holds one password or URL; anything longer is a mistake.
    static let fileLimit = 64 << 10

    private let variable: @Sendable (String) -> String?
    /// False for commands that need the archive alone: they do without the secrets in the URLs of
    /// sources, which are often on another machine, or another user's to read.
    package var contactsSources = true

    package init(_ variable: @escaping @Sendable (String) -> String?) { self.variable = variable }

    package init(_ variables: [String: String]) { self.init { variables[$0] } }

    /// The environment of this process.
    package static let process = Environment { name in
        guard let value = unsafe getenv(name) else { return nil }
        return unsafe String(cString: value)
    }

    package subscript(name: String) -> String? { variable(name) }

    /// What `${name}` stands for; nil when nothing defines it.
    ///
    /// In this order: the variable; the content of the file that `name_FILE` names; and for a name
    /// that itself ends in `_FILE`, the content of the file it names. One newline at a file's end
    /// is cut, since editors and `echo` add it.
    func resolve(_ name: String) throws(TidemarkError) -> String? {
        if name.hasSuffix("_FILE"), let path = self[name] { return try content(path, of: name) }
        if let value = self[name] { return value }
        guard let path = self[name + "_FILE"] else { return nil }
        return try content(path, of: name + "_FILE")
    }

    private func content(_ path: String, of name: String) throws(TidemarkError) -> String {
        do {
            let text = try SmallFile.read(path, limit: Self.fileLimit)
            guard let last = text.last, last.isNewline else { return text }
            return String(text.dropLast())
        } catch {
            throw TidemarkError(
                .configuration, "the file named by \(name): \(error.message)",
                remedy: "set \(name) to a file that holds the value")
        }
    }
}
