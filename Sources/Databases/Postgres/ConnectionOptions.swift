import CLibPQ
import Model

// What libpq knows of connection strings (manual, "Connection Strings").
extension Connection {
    /// Throws `toolMissing` where libpq is not installed; to be asked before anything else of it.
    static func requireLibrary() throws(TidemarkError) {
        guard let problem = unsafe tm_libpq_problem() else { return }
        throw unsafe TidemarkError(
            .toolMissing, "libpq cannot be loaded: \(String(cString: problem))",
            remedy: "install it (Debian: apt-get install libpq5)")
    }

    /// What libpq makes of a URL, without its defaults; nil when it cannot read it.
    static func parse(_ url: String) -> [String: String]? {
        var message: UnsafeMutablePointer<CChar>?
        guard let list = unsafe PQconninfoParse(url, &message) else {
            // The text may quote a piece of the password: not looked at.
            unsafe PQfreemem(message)
            return nil
        }
        defer { unsafe PQconninfoFree(list) }
        return unsafe values(list)
    }

    /// Every parameter libpq knows.
    static var parameterNames: Set<String> {
        guard let list = unsafe PQconndefaults() else { return [] }
        defer { unsafe PQconninfoFree(list) }
        var names: Set<String> = []
        var option = unsafe list
        while let name = unsafe option.pointee.keyword {
            names.insert(unsafe String(cString: name))
            unsafe option += 1
        }
        return names
    }

    static func values(
        _ list: UnsafeMutablePointer<PQconninfoOption>
    ) -> [String: String] {
        var values: [String: String] = [:]
        var option = unsafe list
        while let name = unsafe option.pointee.keyword {
            if let value = unsafe option.pointee.val {
                values[unsafe String(cString: name)] = unsafe String(cString: value)
            }
            unsafe option += 1
        }
        return values
    }
}
