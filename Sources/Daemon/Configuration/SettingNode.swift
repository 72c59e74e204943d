/// A configuration document as a tree of texts that know their line; no types, no meaning yet.
indirect enum SettingNode: Sendable {
    /// A plain or quoted value. `isNull` for a key without value, `~` and `null`.
    case scalar(String, isNull: Bool, line: Int)
    case mapping([SettingPair], line: Int)
    case sequence([SettingNode], line: Int)

    var line: Int {
        switch self {
        case .scalar(_, _, let line), .mapping(_, let line), .sequence(_, let line): line
        }
    }

    /// For messages: what stands there instead of what should.
    var shape: String {
        switch self {
        case .scalar(_, let isNull, _): isNull ? "nothing" : "a single value"
        case .mapping: "a section"
        case .sequence: "a list"
        }
    }
}

/// One `key: value` of a mapping.
struct SettingPair: Sendable {
    var key: String
    var line: Int
    var value: SettingNode
}
