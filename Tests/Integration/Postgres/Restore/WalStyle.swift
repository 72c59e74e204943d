import Model
import Postgres

/// How the tests name segments.
enum WalStyle {
    static func make(_ segmentBytes: UInt64) -> any PositionStyle {
        WalPositionStyle(segmentBytes: segmentBytes)
    }
}
