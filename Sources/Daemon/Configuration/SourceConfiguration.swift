package import Model

/// One archived database, as configured.
package struct SourceConfiguration: Sendable, Hashable {
    package var name: SourceID
    package var url: SourceURL
    /// The objective: the most that may be lost.
    package var rpo: Duration
    /// The replication slot; nil for the room's own choice.
    package var slot: String?
    package var backupSchedule: Schedule

    package var kind: DatabaseKind { url.kind }

    /// The objective of a source that states none.
    static func defaultRPO(_ kind: DatabaseKind) -> Duration {
        switch kind {
        case .postgres: .seconds(15 * 60)
        case .mongodb, .redis: .seconds(60 * 60)
        }
    }
}
