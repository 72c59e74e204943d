/// `rto.json`: how long the last restores of a source took, so that the next one can be estimated.
///
/// Written by `restore` once the copy is durable, and again by none but the next restore.
package struct RestoreMeasurement: Hashable, Sendable, Codable {
    /// One part of a restore that was timed, with what it had to do.
    package struct Part: Hashable, Sendable, Codable {
        /// When it was over, by the clock of the machine that restored.
        package var at: CommitTime
        /// Content of the base backup, before compression.
        package var baseBytes: UInt64
        /// Changes that were replayed in it; nil where this part replays none.
        package var replayBytes: UInt64?
        package var seconds: Double

        package init(at: CommitTime, baseBytes: UInt64, replayBytes: UInt64?, seconds: Double) {
            self.at = at
            self.baseBytes = baseBytes
            self.replayBytes = replayBytes
            self.seconds = seconds
        }

        enum CodingKeys: String, CodingKey {
            case at, seconds
            case baseBytes = "base_bytes"
            case replayBytes = "replay_bytes"
        }
    }

    /// Planning, checking, and laying down the copy until it was durable.
    package var copy: Part
    /// From the start of the server until it answered at the target; nil while no restore has
    /// started one.
    package var recovery: Part?

    package init(copy: Part, recovery: Part? = nil) {
        self.copy = copy
        self.recovery = recovery
    }

    /// What is known after a newer restore: a part that it did not measure stays.
    package func followed(by newer: RestoreMeasurement) -> RestoreMeasurement {
        RestoreMeasurement(copy: newer.copy, recovery: newer.recovery ?? recovery)
    }
}
