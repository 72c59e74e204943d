package import Model

/// Everything the program was told, checked, with defaults filled in.
package struct Configuration: Sendable, Hashable {
    package var repository: RepositoryConfiguration
    /// In the order of the file. Empty only when the archive alone was named (`--repository`).
    package var sources: [SourceConfiguration]
    /// How long a received byte may wait before it is durable.
    package var flushInterval: Duration
    /// How long a segment stays open; Postgres's own segments end by size alone.
    package var segmentAge: Duration
    package var retention: RetentionConfiguration
    /// Nil when no drills are wanted.
    package var drillSchedule: Schedule?
    /// Nil when nothing is served.
    package var monitoringListen: ListenAddress?
    /// Whether that address was asked for, or is the default.
    package var isMonitoringAsked = false
    /// What whoever asks has to bring; nil: nothing.
    package var monitoringToken: Secret?
    /// What this version reads but does not act on, one sentence each; `check` and `run` say so.
    package var notices: [String]

    /// The source of this name. Throws `usage` naming the sources there are.
    package func source(_ name: SourceID) throws(TidemarkError) -> SourceConfiguration {
        if let found = sources.first(where: { $0.name == name }) { return found }
        let names = sources.map(\.name.name)
        let nearest = Suggestion.nearest(to: name.name, among: names)
        throw TidemarkError(
            .usage, "there is no source \(name) in the configuration",
            remedy: nearest.map { "did you mean \($0)?" }
                ?? "configured: " + names.joined(separator: ", "))
    }

    /// The named sources in the order given, or all when none is named.
    package func select(_ names: [SourceID]) throws(TidemarkError) -> [SourceConfiguration] {
        guard !names.isEmpty else { return sources }
        var chosen: [SourceConfiguration] = []
        for name in names where !chosen.contains(where: { $0.name == name }) {
            chosen.append(try source(name))
        }
        return chosen
    }
}
