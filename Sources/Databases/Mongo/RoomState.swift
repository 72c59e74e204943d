import Model
import Platform

/// What the stream and the side connection of one source tell each other.
final class RoomState: Sendable {
    struct Values: Sendable {
        /// The timeline of the open stream, and where it is.
        var received: Position?
        /// The newest that the set's primary has said a majority has.
        var committed: OpTime?
        /// The primary's clock in the newest entry.
        var wall: CommitTime?
        /// Bytes of entries that have come, and since when they are counted.
        var bytes: UInt64 = 0
        var since: MonotonicTime?
        var identity: String?
        /// The timeline that the archive was last on, for whoever asks without a stream.
        var archived: TimelineID?
    }

    private let values = Monitor(Values())

    func update<R>(_ body: (inout Values) -> R) -> R { values.update(body) }
    func read<R>(_ body: (Values) -> R) -> R { values.read(body) }
}
