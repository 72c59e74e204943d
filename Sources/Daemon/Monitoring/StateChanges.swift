import Logging
import Model
import Monitoring

/// Tells the log when a source's state or objective changes, and nothing while it does not. Pure.
///
/// The words are those of `status`; an exposure that grows is a field of a line and makes none.
struct StateChanges {
    /// A line of the log.
    struct Line {
        var message: String
        var metadata: Logger.Metadata
    }

    private struct Seen {
        var state: StreamState
        var objective: ObjectiveState
    }

    private var seen: [SourceID: Seen] = [:]

    /// Takes a look at a source. Returns what is new; at the first look how it stands.
    mutating func observe(_ source: SourceStatus) -> [Line] {
        let before = seen[source.name]
        seen[source.name] = Seen(state: source.state, objective: source.objective)
        var lines: [Line] = []
        let fields = Self.fields(source)
        if before?.state != source.state {
            let was = before.map { ", was \($0.state.rawValue)" } ?? ""
            lines.append(Line(message: "state is \(source.state.rawValue)\(was)", metadata: fields))
        }
        if before?.objective != source.objective {
            let was = before.map { ", was \($0.objective.rawValue)" } ?? ""
            lines.append(
                Line(message: "objective is \(source.objective.rawValue)\(was)", metadata: fields))
        }
        return lines
    }

    /// By the names of `status --json`; what is not known is left out.
    private static func fields(_ source: SourceStatus) -> Logger.Metadata {
        var fields: Logger.Metadata = [
            "source": "\(source.name)", "state": "\(source.state.rawValue)",
            "objective": "\(source.objective.rawValue)",
        ]
        if let exposure = source.exposureSeconds {
            fields["exposure_seconds"] = "\((exposure * 1000).rounded(.up) / 1000)"
        }
        if let proved = source.restorableTo { fields["restorable_to"] = "\(proved.time)" }
        if let position = source.archivedPosition { fields["archived_position"] = "\(position)" }
        if !source.reason.isEmpty { fields["reason"] = "\(source.reason)" }
        return fields
    }
}
