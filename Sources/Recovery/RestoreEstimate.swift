package import Model

/// How long a restore will take, from the one that was measured last. Never too good. Pure.
///
/// A restore's work is taken to grow with the base backup and with the changes to replay, so its
/// time is at most that of the measured one times the larger of the two ratios, and never less than
/// that of the measured one. Too different a size tells nothing.
package struct RestoreEstimate: Hashable, Sendable {
    /// Until the server runs at the target; nil when that cannot be told.
    package var seconds: Double?
    /// What it rests on, or why there is none: half a sentence.
    package var basis: String

    /// Sizes count in whole mebibytes: below that the fixed costs are all there is.
    private static let unit: UInt64 = 1 << 20
    /// A restore this many times as large is another one.
    private static let ratioLimit = 100.0

    /// Of a restore that fills a server which runs already, and whose changes tell no size.
    package static let ofFilling = RestoreEstimate(
        unknown: "how long a running server takes to be filled is not measured")

    /// No estimate.
    package init(unknown reason: String) {
        seconds = nil
        basis = reason
    }

    /// - Parameter replayBytes: what is replayed at most; nil when not known.
    package init(_ measured: RestoreMeasurement?, baseBytes: UInt64, replayBytes: UInt64?) {
        seconds = nil
        guard let measured else {
            basis = "no restore has been measured yet; `tidemark restore --start` measures one"
            return
        }
        guard let recovery = measured.recovery else {
            basis =
                "only the copy of a restore has been measured (\(Self.text(measured.copy))), not "
                + "the recovery; `tidemark restore --start` measures both"
            return
        }
        guard let replayBytes else {
            basis = "how much is to be replayed is not known beforehand"
            return
        }
        let ratios = [measured.copy, recovery].map { Self.ratio($0, baseBytes, replayBytes) }
        guard ratios.allSatisfy({ $0 <= Self.ratioLimit }) else {
            basis =
                "the restore that was measured (\(Self.text(recovery))) was too much smaller than "
                + "this one to tell; `tidemark restore --start` measures anew"
            return
        }
        seconds = measured.copy.seconds * ratios[0] + recovery.seconds * ratios[1]
        basis = "scaled from the restore that was measured: \(Self.text(recovery))"
    }

    /// What was measured counts as too small, what is asked for as too large, by less than a unit.
    private static func ratio(
        _ part: RestoreMeasurement.Part, _ base: UInt64, _ replay: UInt64
    ) -> Double {
        let grown = { (now: UInt64, then: UInt64) in
            Double(now / unit + (now % unit == 0 ? 0 : 1)) / Double(max(1, then / unit))
        }
        return max(1, grown(base, part.baseBytes), part.replayBytes.map { grown(replay, $0) } ?? 1)
    }

    private static func text(_ part: RestoreMeasurement.Part) -> String {
        let replayed = part.replayBytes.map { ", \(ByteCount($0)) of changes" } ?? ""
        return "\(part.at.text(fractionDigits: 0)), \(ByteCount(part.baseBytes))\(replayed)"
    }
}
