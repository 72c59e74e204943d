import Model
import Mongo
import Platform
import Postgres
import Redis
import Repository

/// The rooms there are: one line for each kind of database.
enum Rooms {
    /// - Parameter archived: the timeline that the archive was last on, if any: for work beside a
    ///   sidecar, whose stream knows it.
    static func room(
        _ source: SourceConfiguration, time: any TimeSource, archived: TimelineID? = nil
    ) throws(TidemarkError) -> any DatabaseRoom {
        switch source.kind {
        case .postgres:
            return PostgresRoom(
                try PostgresConfiguration(
                    source: source.name, url: source.url.secret.reveal(), slot: source.slot),
                time: time)
        case .redis:
            return RedisRoom(
                try RedisConfiguration(source: source.name, url: source.url.secret.reveal()),
                time: time)
        case .mongodb:
            return MongoRoom(
                try MongoConfiguration(source: source.name, url: source.url.secret.reveal()),
                time: time, archived: archived)
        }
    }

    /// What restores the copies of a database; needs no connection.
    static func replayer(_ kind: DatabaseKind) throws(TidemarkError) -> any Replayer {
        switch kind {
        case .postgres: return PostgresReplayer()
        case .redis: return RedisReplayer()
        case .mongodb: return MongoReplayer()
        }
    }

    /// What tells that a folder is the data directory of some server.
    static func dataDirectoryMarks() throws(TidemarkError) -> [String] {
        var marks: [String] = []
        for kind in DatabaseKind.allCases { marks += try replayer(kind).dataDirectoryMarks }
        return marks
    }

    /// How `verify` follows a source's history; nil for a database this version does not know.
    static func verificationRules(_ descriptor: SourceDescriptor) -> VerificationRules? {
        switch descriptor.kind {
        case .postgres:
            verificationRules(
                descriptor, PostgresReplayer(),
                scan: { PostgresReplayer().continuity(of: descriptor, on: $0) })
        case .redis: verificationRules(descriptor, RedisReplayer())
        case .mongodb:
            verificationRules(
                descriptor, MongoReplayer(), content: { MongoReplayer.contentCheck(of: $0) })
        }
    }

    private static func verificationRules(
        _ descriptor: SourceDescriptor, _ replayer: any Replayer,
        scan: @escaping @Sendable (TimelineID) -> (any HistoryScan)? = { _ in nil },
        content: @escaping @Sendable (BaseBackupDescriptor) -> (any BaseBackupCheck)? = { _ in
            nil
        }
    ) -> VerificationRules {
        VerificationRules(style: style(descriptor), scan: scan, content: content) {
            (timeline, documents) throws(TidemarkError) in
            try replayer.ancestors(of: timeline, documents).map {
                Position(timeline: $0.timeline, ordinal: $0.end)
            }
        }
    }

    /// How positions of an archived source are printed; needs no connection.
    static func style(_ descriptor: SourceDescriptor) -> any PositionStyle {
        switch descriptor.kind {
        case .postgres: WalPositionStyle(segmentBytes: descriptor.segmentBytes)
        case .redis: OffsetPositionStyle()
        case .mongodb: OplogPositionStyle()
        }
    }
}
