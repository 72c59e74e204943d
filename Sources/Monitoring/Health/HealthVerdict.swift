import Model

/// What `/health/database` answers: whether every source is archived as it should be now. Pure.
package struct HealthVerdict: Sendable, Hashable {
    /// Why it is not, a sentence for each source with something wrong; empty when all is well.
    package var problems: [String]

    package var isHealthy: Bool { problems.isEmpty }

    package init(_ document: StatusDocument) {
        problems = document.sources.compactMap { source in
            Self.problem(of: source).map { "\(source.name): \($0)" }
        }
        if document.repository.state != "ok" {
            problems.insert("repository: \(document.repository.state)", at: 0)
        }
        if document.sources.isEmpty { problems.append("no source is archived") }
    }

    /// What is wrong with a source, in words; nil when it is followed within its objective.
    ///
    /// A position that stands still while nobody knows whether it should is never well: connecting
    /// and stalled are problems however small the exposure still is.
    package static func problem(of source: SourceStatus) -> String? {
        let isFollowed = source.state == .streaming || source.state == .catchingUp
        guard !isFollowed || source.objective == .breached else { return nil }
        let why = source.reason.isEmpty ? state(source.state) : source.reason
        guard source.objective == .breached else { return why }
        guard let exposure = source.exposureSeconds else {
            return "nothing is proved to be restorable: \(why)"
        }
        let words =
            "\(seconds(exposure)) could be lost, the objective is \(seconds(source.rpoSeconds))"
        return isFollowed && source.reason.isEmpty ? words : "\(words): \(why)"
    }

    private static func state(_ state: StreamState) -> String {
        switch state {
        case .connecting: "the sidecar is connecting to the database"
        case .catchingUp: "the archive is catching up"
        case .streaming: "the archive follows the database"
        case .stalled: "the database sends nothing, or does not answer questions"
        case .gap: "history was lost, and the base backup that mends it is not finished"
        case .stopped: "nothing is archived: the sidecar is stopping"
        }
    }

    /// As people read it, never too good.
    package static func seconds(_ value: Double) -> String { DurationWords.text(value) }
}
