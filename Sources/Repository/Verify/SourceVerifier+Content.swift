import Model
import Segments

extension SourceVerifier {
    /// What does not fit together inside a base backup, once its files have been read.
    func content(
        of backup: BaseBackupDescriptor, _ listing: StreamListing
    ) throws(TidemarkError) -> [VerificationProblem] {
        guard let check = contents[backup.id] else { return [] }
        let folder = Layout.backup(source, backup.id)
        do throws(TidemarkError) {
            if check.takesStream { try handOver(backup, listing, to: check) }
        } catch let error where error.code == .archiveDamaged || error.code == .notFound {
            // Told by the segment's own check; without it nothing can be said.
            return []
        }
        return check.findings().map { finding in
            VerificationProblem(
                source: source, key: folder.path,
                kind: finding.kind == .incomplete ? .missing : .unchecked, what: finding.what,
                remedy: finding.remedy)
        }
    }

    /// What was found wrong while the base backup was taken; restored from it, it is wrong again.
    func marks(of backup: BaseBackupDescriptor) -> [VerificationProblem] {
        guard !backup.warnings.isEmpty else { return [] }
        let rest = backup.warnings.count - Self.marksShown
        return [
            VerificationProblem(
                source: source, key: Layout.backup(source, backup.id).path, kind: .unsound,
                what: "base backup \(backup.id) has warnings from when it was taken: "
                    + backup.warnings.prefix(Self.marksShown).joined(separator: "; ")
                    + (rest > 0 ? "; and \(rest) more (`tidemark list --json`)" : ""),
                remedy: "mend their cause at the source, then take another with `tidemark backup "
                    + "\(source)`; an older one brings back what it had")
        ]
    }

    private static let marksShown = 3

    /// The segments that were written while the base backup was read.
    private func handOver(
        _ backup: BaseBackupDescriptor, _ listing: StreamListing, to check: any BaseBackupCheck
    ) throws(TidemarkError) {
        for segment in listing.segments[backup.timeline] ?? [] {
            let range = segment.range
            // The end of an open one is not in its name.
            let reaches = segment.state == .open || range.last > backup.start
            guard reaches, range.first < backup.end else { continue }
            let reader = try SegmentReader(context.store, segment.key)
            defer { reader.close() }
            while try reader.read({ (bytes) throws(TidemarkError) in
                try check.stream(bytes, at: range.first)
            }) {}
        }
    }
}
