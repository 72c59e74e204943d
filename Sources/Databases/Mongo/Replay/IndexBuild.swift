import Model

/// Builds the indexes of one collection. One that the server refuses, such as a unique one over
/// what is not unique any more or a kind that it does not have, leaves the others to be built.
struct IndexBuild {
    private let connection: Connection
    private let namespace: Namespace

    init(_ connection: Connection, _ namespace: Namespace) {
        self.connection = connection
        self.namespace = namespace
    }

    /// Returns a line for each that was refused.
    func run(_ specifications: [BSONDocument]) throws(TidemarkError) -> [String] {
        // All with one pass over the documents.
        guard try build(specifications) != nil else { return [] }
        var lines: [String] = []
        for specification in specifications {
            guard let failure = try build([specification]) else { continue }
            lines.append(
                "an index of \(namespace) was not built, the server refused it (\(failure.text)): "
                    + "db.getSiblingDB(\"\(namespace.database)\").runCommand({createIndexes: "
                    + "\"\(namespace.collection)\", indexes: [\(specification.text(limit: 1000))]})"
            )
        }
        return lines
    }

    private func build(
        _ specifications: [BSONDocument]
    ) throws(TidemarkError) -> ConnectionFailure? {
        let command = BSONDocument([
            ("createIndexes", .string(namespace.collection)),
            ("indexes", .array(specifications.map { .document($0) })),
        ])
        switch try connection.answer(command, on: namespace.database, at: .primary) {
        case .success: return nil
        // A server that goes down, or is interrupted, has refused nothing.
        case .failure(let failure)
        where failure.domain == .server && !failure.isMissingRight && !failure.isPassing:
            return failure
        case .failure(let failure):
            throw failure.targetError(
                connection.configuration, "the indexes of \(namespace)")
        }
    }
}
