import Model

/// What is told when not every source of a restore can be restored. Pure.
enum RestoreOrderliness {
    /// Whether a target names a place in the history of one source, and nothing in any other's.
    static func isOfOneSource(_ target: RecoveryTarget) -> Bool {
        switch target {
        case .before, .position, .transaction: true
        case .latest, .time, .point: false
        }
    }

    /// - Parameters:
    ///   - error: of the first source that cannot be brought to such a target.
    ///   - found: the sources that can.
    static func refusal(
        of target: RecoveryTarget, _ error: TidemarkError, found: [SourceID]
    ) -> TidemarkError {
        guard let first = found.first else { return error }
        let names = found.map(\.name).joined(separator: " and ")
        return TidemarkError(
            .usage,
            "\(target) names a place in the history of \(names), and of no other source; "
                + "nothing was written",
            remedy: "add --source \(first), and bring the others to a time with a second restore",
            cause: error)
    }

    /// Nil where a source of this kind can be restored into the server of a URL.
    static func refusal(
        of url: SourceURL, for source: SourceID, _ kind: DatabaseKind
    ) -> TidemarkError? {
        let folder = "--into \(source)=/srv/restored"
        let (name, server): (String, String)
        switch kind {
        case .postgres:
            return TidemarkError(
                .usage,
                "\(source) is a Postgres, which is restored into a folder and never into a running "
                    + "server (\(url))", remedy: "name a folder: \(folder)")
        case .mongodb: (name, server) = ("MongoDB", "mongodb://HOST:PORT/")
        case .redis: (name, server) = ("Redis", "redis://HOST:PORT")
        }
        guard url.kind != kind else { return nil }
        return TidemarkError(
            .usage, "\(source) is a \(name), and \(url) is a server of another kind",
            remedy: "name a folder, \(folder), or an empty server: --into \(source)=\(server)")
    }

    /// Nil where no two sources would fill the same server: the second would replace the first.
    static func refusal(of servers: [(source: SourceID, url: SourceURL)]) -> TidemarkError? {
        for (index, one) in servers.enumerated() {
            let address = ServerAddress(one.url)
            let other = servers[..<index].first { ServerAddress($0.url).isSame(as: address) }
            guard let other else { continue }
            return TidemarkError(
                .usage,
                "\(other.source) and \(one.source) would be restored into the same server, "
                    + "\(one.url)",
                remedy: "name an empty server of its own for each: --into \(one.source)=URL")
        }
        return nil
    }

    /// What is said when a signal ends a restore.
    ///
    /// - Parameters:
    ///   - left: of the source that is being restored, told by its room; nil between two of them.
    static func interrupted(
        _ left: (source: SourceID, what: String)?, done: [SourceID], rest: [SourceID]
    ) -> String {
        var parts = left.map { ["\($0.source): \($0.what)"] } ?? []
        if left == nil, done.isEmpty { parts.append("nothing was written") }
        return "tidemark: interrupted: " + (parts + others(done, rest)).joined(separator: "; ")
    }

    private static func others(_ done: [SourceID], _ rest: [SourceID]) -> [String] {
        var parts: [String] = []
        if !done.isEmpty {
            parts.append("already restored: \(done.map(\.name).joined(separator: ", "))")
        }
        if !rest.isEmpty {
            parts.append(
                "not begun: " + rest.map { "--source \($0)" }.joined(separator: " "))
        }
        return parts
    }

    /// An error in the middle: says what is done and what was not begun.
    static func unfinished(
        _ error: TidemarkError, done: [SourceID], rest: [SourceID]
    ) -> TidemarkError {
        let parts = (error.remedy.isEmpty ? [] : [error.remedy]) + others(done, rest)
        return TidemarkError(
            error.code, error.message, remedy: parts.joined(separator: "; "), cause: error.cause)
    }
}
