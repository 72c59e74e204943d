package import Model
package import Platform

/// Redis, as the flow sees it.
package final class RedisRoom: DatabaseRoom {
    /// Segments are cut at the first edge behind this many bytes.
    package static let segmentBytes: UInt64 = 16 << 20

    private let configuration: RedisConfiguration
    private let time: any TimeSource
    private let state = RoomState()

    package init(_ configuration: RedisConfiguration, time: any TimeSource) {
        self.configuration = configuration
        self.time = time
    }

    package var kind: DatabaseKind { .redis }
    package var source: SourceID { configuration.source }

    package func style(segmentBytes: UInt64) -> any PositionStyle { OffsetPositionStyle() }

    package func stream() -> any ChangeSource {
        Stream(configuration, state: state, time: time)
    }

    package func inspector() -> any SourceInspector {
        Inspect(configuration, state: state, time: time)
    }

    package func baseBackup() -> any BaseBackupSource {
        BaseBackup(configuration, state: state, time: time)
    }
}
