import Model

/// Names of base backups: `20261122T120000Z-1-0000000003000060`.
///
/// Start time first, so that names sort by age; then timeline and start position in sixteen hex
/// digits, so that two backups of one second never share a name.
enum BackupID {
    static func make(started: CommitTime, timeline: TimelineID, start: UInt64) -> String {
        let time = String(
            started.text(fractionDigits: 0).filter { $0 != "-" && $0 != ":" })
        let digits = String(start, radix: 16, uppercase: true)
        let position = String(repeating: "0", count: 16 - digits.count) + digits
        return "\(time)-\(Layout.escaped(timeline.name))-\(position)"
    }
}
