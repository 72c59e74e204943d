/// Where a restore stops; the value of `--to`.
package enum RecoveryTarget: Hashable, Sendable {
    /// Everything the archive has.
    case latest
    /// Everything committed at or before this moment, nothing after it.
    case time(CommitTime)
    /// A restore point made by `mark` or by the database's own function.
    case point(String)
    /// Just before a destructive event that `find` listed.
    case before(String)
    /// A position in the database's own notation (`lsn:`, `optime:`, `offset:`).
    case position(scheme: String, text: String)
    /// A Postgres transaction, inclusive.
    case transaction(UInt64)

    /// Nil when the text is none of the forms of the command line's contract.
    package init?(_ text: String) {
        if text == "latest" {
            self = .latest
            return
        }
        if let time = CommitTime(text) {
            self = .time(time)
            return
        }
        guard let colon = text.firstIndex(of: ":") else { return nil }
        let scheme = String(text[..<colon])
        let value = String(text[text.index(after: colon)...])
        guard !value.isEmpty else { return nil }
        switch scheme {
        case "point": self = .point(value)
        case "before": self = .before(value)
        case "lsn", "optime", "offset": self = .position(scheme: scheme, text: value)
        case "xid":
            guard let number = UInt64(value) else { return nil }
            self = .transaction(number)
        default: return nil
        }
    }
}

extension RecoveryTarget: CustomStringConvertible {
    /// The form the command line takes.
    package var description: String {
        switch self {
        case .latest: "latest"
        case .time(let time): time.text(fractionDigits: 6)
        case .point(let name): "point:\(name)"
        case .before(let event): "before:\(event)"
        case .position(let scheme, let text): "\(scheme):\(text)"
        case .transaction(let number): "xid:\(number)"
        }
    }
}
