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
