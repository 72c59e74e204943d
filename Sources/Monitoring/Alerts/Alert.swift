package import Model

/// One message of the sidecar to whoever is called.
package struct Alert: Sendable, Hashable {
    package enum Step: String, Sendable, Encodable { case raised, recovered }

    package var event: AlertEvent
    package var step: Step
    package var source: SourceID
    package var kind: DatabaseKind
    /// When the trouble began, as far as this process saw it.
    package var since: CommitTime
    package var time: CommitTime
    package var exposureSeconds: Double?
    package var rpoSeconds: Double
    package var state: StreamState
    /// Why, in words.
    package var reason: String
    /// The machine that the sidecar runs on.
    package var host = ""

    /// All of it in one sentence.
    package var text: String {
        switch step {
        case .raised: "\(source) on \(host): \(trouble)\(reason.isEmpty ? "" : ": " + reason)"
        case .recovered:
            "\(source) on \(host): recovered from \(event.rawValue) after "
                + HealthVerdict.seconds(max(0, time.seconds(since: since)))
        }
    }

    private var trouble: String {
        switch event {
        case .breached:
            exposureSeconds.map {
                "\(HealthVerdict.seconds($0)) could be lost, the objective is "
                    + HealthVerdict.seconds(rpoSeconds)
            } ?? "nothing is proved to be restorable"
        case .gap: "history was lost"
        case .stalled: "the archive does not follow the database"
        case .windowShort: "the source is about to drop history that is not archived"
        case .drillFailed: "the rehearsal of a recovery failed"
        }
    }
}

extension Alert: Encodable {
    private enum CodingKeys: String, CodingKey {
        case event, step, source, kind, since, time, state, reason, host, text
        case exposureSeconds = "exposure_seconds"
        case rpoSeconds = "rpo_seconds"
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(event.rawValue, forKey: .event)
        try container.encode(step, forKey: .step)
        try container.encode(source, forKey: .source)
        try container.encode(kind, forKey: .kind)
        try container.encode(Millis(since), forKey: .since)
        try container.encode(Millis(time), forKey: .time)
        try container.encode(state, forKey: .state)
        try container.encode(exposureSeconds, forKey: .exposureSeconds)
        try container.encode(rpoSeconds, forKey: .rpoSeconds)
        try container.encode(reason, forKey: .reason)
        try container.encode(host, forKey: .host)
        // What Slack, Mattermost and their like show of a message.
        try container.encode(text, forKey: .text)
    }
}
