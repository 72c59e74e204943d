package import Model
package import Platform

/// MongoDB, as the flow sees it.
package final class MongoRoom: DatabaseRoom {
    /// Segments are cut behind the first entry that reaches this many bytes.
    package static let segmentBytes: UInt64 = 16 << 20

    private let configuration: MongoConfiguration
    private let time: any TimeSource
    private let state = RoomState()
    private let transactionLimit: Int

    /// Bytes that are held of one transaction in a change stream, before its parts are written.
    package static let transactionLimit = ChangeGroups.limit

    /// - Parameter archived: the timeline that the archive was last on, if any.
    package init(
        _ configuration: MongoConfiguration, time: any TimeSource, archived: TimelineID? = nil,
        transactionLimit: Int = MongoRoom.transactionLimit
    ) {
        self.configuration = configuration
        self.time = time
        self.transactionLimit = transactionLimit
        state.update { $0.archived = archived }
    }

    package var kind: DatabaseKind { .mongodb }
    package var source: SourceID { configuration.source }

    package func style(segmentBytes: UInt64) -> any PositionStyle { OplogPositionStyle() }

    package func stream() -> any ChangeSource {
        Stream(
            configuration, state: state, time: time, transactionLimit: transactionLimit)
    }

    package func inspector() -> any SourceInspector {
        Inspect(configuration, state: state, time: time)
    }

    package func baseBackup() -> any BaseBackupSource {
        BaseBackup(configuration, state: state, time: time)
    }
}
