import Model

/// Why no member of a set could be chosen. libmongoc leaves out whoever calls its set by another
/// name, or stands alone, and then says no more than that nobody is left: so the addresses of the
/// URL are asked directly who they are.
enum DirectQuestion {
    /// Addresses that are asked, and milliseconds for each.
    private static let limit = 3
    private static let patience = 2000

    /// Nil where nobody answers.
    static func explain(_ configuration: MongoConfiguration) -> TidemarkError? {
        guard let setName = configuration.setName else { return nil }
        for url in configuration.directURLs.prefix(limit) {
            let limits = "&serverSelectionTimeoutMS=\(patience)&connectTimeoutMS=\(patience)"
            guard let (hello, place) = ask(configuration.source, url + limits) else { continue }
            if hello.isArbiter { continue }
            if hello.isRouter {
                return TidemarkError(
                    .sourceRefused, "MongoDB at \(place) is a router, and no member of \(setName)",
                    remedy: "leave replicaSet=\(setName) out of the source's url")
            }
            do throws(TidemarkError) {
                try Membership.check(hello, configuration)
            } catch {
                return error
            }
            return TidemarkError(
                .sourceUnreachable,
                "replica set \(setName) has no primary, or none that can be reached: \(place) "
                    + "answers, and calls the members \(hello.hosts.joined(separator: ", "))",
                remedy: "see by `rs.status()` whether there is a primary, and that these addresses "
                    + "can be reached from here; Tidemark tries again by itself")
        }
        return nil
    }

    private static func ask(_ source: SourceID, _ url: String) -> (hello: Hello, place: String)? {
        do throws(TidemarkError) {
            let direct = try MongoConfiguration(source: source, url: url)
            let connection = try Connection(direct)
            return (try Questions.hello(connection, .anyMember), direct.place)
        } catch {
            // Whoever does not answer explains nothing; the failure at hand is told.
            return nil
        }
    }
}
