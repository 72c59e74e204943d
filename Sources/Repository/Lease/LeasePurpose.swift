import Model

/// What a lease keeps others from doing with a source meanwhile.
package enum LeasePurpose: Sendable {
    /// Taking a base backup.
    case baseBackup
    /// Archiving its stream and writing its watermark.
    case stream

    func key(_ source: SourceID) -> ObjectKey {
        switch self {
        case .baseBackup: Layout.backupLease(source)
        case .stream: Layout.streamLease(source)
        }
    }

    /// In stores without locks: seconds between renewals, and until a holder that stopped renewing
    /// is taken for dead. A stream that nobody archives is the greater loss than two that do.
    var renewalSeconds: Double {
        switch self {
        case .baseBackup: 30
        case .stream: 5
        }
    }
    var expirySeconds: Double {
        switch self {
        case .baseBackup: 300
        case .stream: 30
        }
    }

    func busy(
        _ source: SourceID, _ holder: LeaseHolder?, cause: TidemarkError? = nil
    ) -> TidemarkError {
        let by =
            holder.map { ", by process \($0.process) on \($0.host) since \($0.started)" } ?? ""
        switch self {
        case .baseBackup:
            return TidemarkError(
                .failed, "a base backup of \(source) is being taken already" + by,
                remedy: "wait until `tidemark list` shows it, then try again", cause: cause)
        case .stream:
            return TidemarkError(
                .failed, "\(source) is being archived here already" + by,
                remedy: "let one sidecar archive a source: stop one of the two; this one takes "
                    + "over when the other has ended", cause: cause)
        }
    }
}
