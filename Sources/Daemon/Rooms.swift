import Model
import Platform
import Postgres

/// The rooms there are: one line for each kind of database.
enum Rooms {
    static func room(
        _ source: SourceConfiguration, time: any TimeSource
    ) throws(TidemarkError) -> any DatabaseRoom {
        switch source.kind {
        case .postgres:
            return PostgresRoom(
                try PostgresConfiguration(
                    source: source.name, url: source.url.secret.reveal(), slot: source.slot),
                time: time)
        case .mongodb, .redis:
            throw TidemarkError(
                .configuration,
                "source \(source.name): this version archives Postgres, not \(source.kind.rawValue)",
                remedy: "remove sources.\(source.name), or use a version that has this database")
        }
    }

    /// How positions of an archived source are printed; needs no connection.
    static func style(_ descriptor: SourceDescriptor) -> any PositionStyle {
        switch descriptor.kind {
        case .postgres: WalPositionStyle(segmentBytes: descriptor.segmentBytes)
        case .mongodb, .redis:
            preconditionFailure("no room for \(descriptor.kind) wrote this archive")
        }
    }
}
