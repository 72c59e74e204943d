package import Model
package import Platform

/// Everything Tidemark asks of one Postgres.
package final class PostgresRoom: DatabaseRoom {
    private let configuration: PostgresConfiguration
    private let time: any TimeSource

    package init(_ configuration: PostgresConfiguration, time: any TimeSource) {
        self.configuration = configuration
        self.time = time
    }

    package var kind: DatabaseKind { .postgres }
    package var source: SourceID { configuration.source }

    package func style(segmentBytes: UInt64) -> any PositionStyle {
        WalPositionStyle(segmentBytes: segmentBytes)
    }

    package func stream() -> any ChangeSource { Stream(configuration, time: time) }

    package func inspector() -> any SourceInspector { Inspector(configuration, time: time) }

    package func baseBackup() -> any BaseBackupSource { BaseBackup(configuration, time: time) }
}
