/// The state of one source's stream, as `status` names it.
package enum StreamState: String, Sendable, Codable, CaseIterable {
    case connecting
    case catchingUp = "catching-up"
    case streaming, stalled, gap, stopped
}

/// How the exposure stands against the objective.
package enum ObjectiveState: String, Sendable, Codable, CaseIterable {
    case met
    /// Over half of the objective is used up.
    case atRisk = "at-risk"
    case breached
}

/// How far the source can run ahead before it drops history the archive still needs.
package struct SourceWindow: Hashable, Sendable, Codable {
    /// `slot`, `oplog` or `backlog`.
    package var kind: String
    /// Nil when the present rate gives no forecast; at most `forecastLimit`.
    package var headroomSeconds: Double?
    /// Nil when the source keeps history without bound.
    package var headroomBytes: UInt64?
    /// The part of the whole window that is left, from 0 to 1; nil where it is not known. For the
    /// sidecar itself, which warns of too little: no document has it.
    package var share: Double? = nil

    /// A forecast rests on what was seen for some minutes: of more than a day it knows nothing.
    package static let forecastLimit = 86_400.0

    package init(
        kind: String, headroomSeconds: Double?, headroomBytes: UInt64?, share: Double? = nil
    ) {
        self.kind = kind
        self.headroomSeconds = headroomSeconds.map { min($0, Self.forecastLimit) }
        self.headroomBytes = headroomBytes
        self.share = share
    }

    enum CodingKeys: String, CodingKey {
        case kind
        case headroomSeconds = "headroom_seconds"
        case headroomBytes = "headroom_bytes"
    }

    /// Writes both keys even when null: the document of `status --json` is a contract.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(kind, forKey: .kind)
        try container.encode(headroomSeconds, forKey: .headroomSeconds)
        try container.encode(headroomBytes, forKey: .headroomBytes)
    }
}

extension SourceWindow {
    /// Less than this part of the window is worth a call; it is over from the other on, so that a
    /// window that swings about its bound is one call.
    package static let shortShare = 0.25
    package static let longShare = 0.35

    /// `, about 90 s at the present rate`; empty where nobody knows.
    package var forecast: String {
        headroomSeconds.map { ", about \(Int($0)) s at the present rate" } ?? ""
    }

    /// What to say of a window that is short; nil while enough is left, or nobody knows how much.
    package var shortage: String? {
        guard let share, share < Self.longShare else { return nil }
        return "only \(Int(share * 100)) % of the source's \(kind) is left\(forecast)"
    }
}
