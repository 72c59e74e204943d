import Catalog
package import Model
import Monitoring
import Platform
import Repository

/// `status`: how every source stands, read from the archive and its watermarks.
package struct StatusOperation: Sendable {
    private let configuration: Configuration
    private let time = SystemTimeSource()

    package init(_ configuration: Configuration) { self.configuration = configuration }

    /// What is asked about: a source of the configuration, or of the archive.
    private struct Subject {
        var source: SourceID
        var kind: DatabaseKind
        var rpo: Duration
    }

    /// The state at this moment; called again and again by `--watch`. Throws `usage` when there is
    /// nothing to report on.
    package func run() throws(TidemarkError) -> StatusReport {
        var subjects = configuration.sources.map {
            Subject(source: $0.name, kind: $0.kind, rpo: $0.rpo)
        }
        do throws(TidemarkError) {
            let repository = try configuration.repository.archive()
            try repository.open()
            if subjects.isEmpty { subjects = try self.subjects(repository) }
            var sources: [SourceStatus] = []
            for subject in subjects { sources.append(try status(subject, repository)) }
            return StatusReport(document: document(sources, state: "ok"))
        } catch let error where error.code != .usage {
            let state = error.message
            let unknown = subjects.map { Self.unknown($0, "the archive cannot be read: \(state)") }
            return StatusReport(document: document(unknown, state: state), failure: error)
        }
    }

    private func document(_ sources: [SourceStatus], state: String) -> StatusDocument {
        StatusDocument(
            time: time.wall(), repository: configuration.repository.url.description, state: state,
            sources: sources)
    }

    /// Without a configuration: everything that is archived there, against the usual objectives.
    private func subjects(
        _ repository: ArchiveRepository
    ) throws(TidemarkError) -> [Subject] {
        let found = try repository.sources().map {
            Subject(
                source: $0.source, kind: $0.kind, rpo: SourceConfiguration.defaultRPO($0.kind))
        }
        guard !found.isEmpty else {
            throw TidemarkError(
                .usage, "the archive at \(repository.store.url) has no source yet",
                remedy: "see that `tidemark run` writes to this place, or name the configuration "
                    + "with --config")
        }
        return found
    }

    private func status(
        _ subject: Subject, _ repository: ArchiveRepository
    ) throws(TidemarkError) -> SourceStatus {
        do {
            guard let descriptor = try repository.descriptor(subject.source) else {
                return Self.unknown(subject, "nothing is archived yet")
            }
            let reader = CatalogReader(repository, try Rooms.replayer(descriptor.kind))
            let snapshot = try reader.read(subject.source, withWindows: true)
            return SourceReport(
                snapshot: snapshot, rpo: subject.rpo.inSeconds, now: time.reading()
            ).status
        } catch let error where error.code == .archiveDamaged {
            return Self.unknown(
                subject, "\(error.message) (\(error.remedy))",
                state: try said(subject.source, repository))
        }
    }

    /// The stream may go on although something is damaged; its watermark says so.
    private func said(
        _ source: SourceID, _ repository: ArchiveRepository
    ) throws(TidemarkError) -> StreamState {
        do throws(TidemarkError) {
            return SourceReport.said(try repository.watermark(source), time.reading()).0
        } catch let error where error.code == .archiveDamaged {
            // It is itself what is damaged, and says nothing.
            return .stopped
        }
    }

    private static func unknown(
        _ subject: Subject, _ reason: String, state: StreamState = .stopped
    ) -> SourceStatus {
        SourceStatus(
            name: subject.source, kind: subject.kind, state: state, timeline: nil,
            receivedPosition: nil, archivedPosition: nil, restorableTo: nil, exposureSeconds: nil,
            rpoSeconds: subject.rpo.inSeconds, recoveryWindows: [], gaps: [], lastBackup: nil,
            sourceWindow: nil, reason: reason)
    }
}
