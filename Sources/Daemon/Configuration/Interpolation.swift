import Model
import Platform

/// Replaces `${NAME}` in a configuration value; `$${` stands for a literal `${`.
///
/// Inside a URL's user information and after `=` in its query the value is percent-encoded, so that
/// a password stands in its variable as it is, whatever signs it has. A variable that holds a whole
/// URL is taken as it stands.
struct Interpolation {
    /// The value with everything replaced; equal to the template when nothing was.
    private(set) var text = ""
    /// Whether anything came from outside; such a value is never repeated in a message.
    private(set) var hasReferences = false

    /// - Parameter standIn: taken for a variable that is not set or whose file cannot be read; nil
    ///   makes that an error.
    init(
        _ template: String, _ environment: Environment, standIn: String? = nil
    ) throws(TidemarkError) {
        var rest = Substring(template)
        while let dollar = rest.firstIndex(of: "$") {
            text += rest[..<dollar]
            rest = rest[dollar...]
            if rest.hasPrefix("$${") {
                text += "${"
                rest = rest.dropFirst(3)
            } else if rest.hasPrefix("${") {
                let name = try Self.name(&rest)
                let offset = template.utf8.distance(from: template.startIndex, to: dollar)
                let value = try Self.value(name, environment, standIn)
                text += Self.isInsideURL(template, at: offset) ? Self.encoded(value) : value
                hasReferences = true
            } else {
                text += "$"
                rest = rest.dropFirst()
            }
        }
        text += rest
    }

    /// Takes `${NAME}` off the front.
    private static func name(_ rest: inout Substring) throws(TidemarkError) -> String {
        let name = rest.dropFirst(2).prefix { $0 != "}" }
        guard rest.dropFirst(2).dropFirst(name.count).first == "}", isName(name) else {
            throw TidemarkError(
                .configuration, "${ must be followed by a variable's name and }",
                remedy: "write ${NAME} with letters, digits and _ only, or $${ for a literal ${")
        }
        rest = rest.dropFirst(name.count + 3)
        return String(name)
    }

    private static func value(
        _ name: String, _ environment: Environment, _ standIn: String?
    ) throws(TidemarkError) -> String {
        do throws(TidemarkError) {
            if let value = try environment.resolve(name) { return value }
        } catch {
            guard standIn != nil else { throw error }
        }
        if let standIn { return standIn }
        let base = name.hasSuffix("_FILE") ? String(name.dropLast(5)) : name
        throw TidemarkError(
            .configuration, "the environment variable \(name) is not set",
            remedy: "set \(base), or set \(base)_FILE to a file that holds the value")
    }

    private static func isName(_ name: Substring) -> Bool {
        guard let first = name.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9") ~= first) else {
            return false
        }
        return name.utf8.allSatisfy { PercentText.isPlain($0) && $0 != 0x2D && $0 != 0x2E }
    }

    /// Whether byte `offset` of the template lies in the user information or a query value of a
    /// URL.
    private static func isInsideURL(_ template: String, at offset: Int) -> Bool {
        let bytes = Array(template.utf8)
        let mark = Array("://".utf8)
        guard
            let scheme = bytes.indices.first(where: { bytes[$0...].starts(with: mark) }),
            offset > scheme
        else { return false }
        let ends = Array("/?#".utf8)
        let authority = bytes[(scheme + 3)...].prefix { !ends.contains($0) }
        if let at = authority.lastIndex(of: UInt8(ascii: "@")), offset < at { return true }
        let query = bytes[authority.endIndex...].firstIndex(of: UInt8(ascii: "?"))
        return query.map { $0 < offset } ?? false && bytes[offset - 1] == UInt8(ascii: "=")
    }

    private static func encoded(_ value: String) -> String {
        PercentText.encoded(value) { PercentText.isPlain($1) || $1 == UInt8(ascii: "~") }
    }
}
