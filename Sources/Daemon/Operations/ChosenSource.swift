import Model
import Repository

/// The source that a command means when it may be left out.
enum ChosenSource {
    static func one(
        _ named: SourceID?, _ configuration: Configuration
    ) throws(TidemarkError) -> SourceID {
        if let named { return named }
        var known = configuration.sources.filter { $0.kind == .postgres }.map(\.name)
        if known.isEmpty {
            known = try configuration.repository.archive().sources().map(\.source)
        }
        guard known.count == 1, let only = known.first else {
            throw TidemarkError(
                .usage, "which source is meant: \(known.map(\.name).joined(separator: ", "))?",
                remedy: "add --source NAME")
        }
        return only
    }
}
