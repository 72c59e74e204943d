import Model
import Repository

/// The source that a `wal` command means when it may be left out: the only Postgres. What else is
/// archived beside it has no WAL.
enum ChosenSource {
    static func one(
        _ named: SourceID?, _ configuration: Configuration
    ) throws(TidemarkError) -> SourceID {
        if let named { return named }
        var known = configuration.sources.filter { $0.kind == .postgres }.map(\.name)
        if known.isEmpty {
            known = try configuration.repository.archive().sources()
                .filter { $0.kind == .postgres }.map(\.source)
        }
        guard let only = known.first else {
            throw TidemarkError(
                .usage, "the archive at \(configuration.repository.url) has no Postgres",
                remedy: "check that it is mounted, or add --source NAME")
        }
        guard known.count == 1 else {
            throw TidemarkError(
                .usage, "which source is meant: \(known.map(\.name).joined(separator: ", "))?",
                remedy: "add --source NAME")
        }
        return only
    }
}
